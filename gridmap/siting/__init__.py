"""Siting: which communities no longer fit, and how to redraw them; what to build where.

In: communities, buildings, streets and a cover. Out: ranked tables and proposals that a planner can take or leave.
"""
