"""Siting: what to build where, how much of it is needed, and which communities no longer fit.

In: communities, buildings, facilities, candidates, streets and a cover. Out: chosen sites with a proof or a gap, needs
and shortfalls, and ranked tables and proposals that a planner can take or leave.

`solve` knows arrays alone: which demand each site reaches, and which sites to choose. `sites` turns tables into these
arrays and back; `capacity` asks how much is needed and who goes where; `communities` finds those that are too large.
"""
