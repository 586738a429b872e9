"""Permeability: how finely the streets divide the land, and which link is missing most.

In: a network, units, buildings and facilities. Out: tables by unit, and links.
"""
