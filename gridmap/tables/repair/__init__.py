"""Safe repairs of a table, each logged so that the original can be rebuilt.

In: a table as it is. Out: the table with what is certainly a slip of drawing mended, and a log of every changed row
with what stood there before. What takes a decision is left for people: `gridmap.tables.check` finds it.
"""
