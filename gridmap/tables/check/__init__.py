"""The topology audit: what is wrong between the shapes of one table, between two tables, and in what they count.

In: any of the library's tables, as they are. Out: findings, each with its place, its size and a cure. One check a file;
`audit` calls them in turn. Nothing is changed here: see `gridmap.tables.repair`.
"""
