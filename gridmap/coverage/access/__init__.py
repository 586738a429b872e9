"""Access: how much is within reach, whether it is enough for all who share it, and how unequal units are.

In: buildings, facilities, a network, capacities. Out: long tables by building or unit.
"""
