"""Division of communities into grids.

In: communities, buildings, streets, compounds, barriers as checked tables. Out: a `GridPlan`. The steps hand plain data
to one another: blocks and cells -> atoms and which of them touch -> a grid label for each atom -> grid polygons, codes,
ledger and findings. Grids drawn by hand enter at the last step and are audited like any other plan.

`ground` makes the atoms, `search` groups them, `rules` says what the search may do where, `plans` makes and edits
plans; `divide` runs them one after another.
"""
