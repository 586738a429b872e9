"""Tables: what each one must hold, which CRS metric work is done in, and what was found wrong.

In: GeoDataFrames and DataFrames as a reader or a user made them. Out: the same, checked, with string ids; or one
`TableError` that lists every violation. No files are opened here.
"""
