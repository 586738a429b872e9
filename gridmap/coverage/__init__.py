"""Coverage: who reaches which service, by which distance, and what that makes by unit.

In: buildings with households, facilities with categories, a street network. Out: the reach table (one row a building,
category and rank), rates by unit, gaps, completeness, and service circles as polygons. Rates are counted from the
reach table; the polygons are drawn beside it and say by how much they deviate.

`land` is the ground as a raster. On it stands `counting`: who reaches what, by unit and after changes. On both stand
`circles`, the polygons; `access`, how much is within reach, for whom and by which way; `permeability`, how finely
streets divide the land; `compliance`, whether units have what a standard asks for; and, on permeability, `greenways`,
what slow streets alone link.
"""
