"""Circles: service circles as polygons, with their deviation from what was counted.

In: facilities, a network, and buildings to say the deviation. Out: a table of polygons.
"""
