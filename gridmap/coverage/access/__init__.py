"""Access: how much is within reach, by which ways, whether it is enough for all who share it, how unequal units are.

In: buildings, facilities, a network, capacities, or a cover. Out: long tables by building or unit; for a
map, trees of ways.
"""
