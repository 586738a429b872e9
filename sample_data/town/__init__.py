"""How the synthetic town is made: a drawn plan (`plan`), then blocks, compounds, lanes, villages and tables from it.

In: the numbers in `plan.py`, metres from a local origin, and one seed. Out: the tables that `make_town.py` writes.
"""
