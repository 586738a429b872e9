"""Counts without coordinates: lists of compounds, building numbers and households, joined to buildings.

In: buildings, and a list as a frame. Out: the buildings with their households, and what found no building, with
candidates. `names` brings spellings together, `matching` decides which building a row means, `spread` shares a total
out in whole households, `attach_counts` puts the three together.
"""
