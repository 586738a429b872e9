"""Greenways: which communities the slow-traffic network links to parks, stations and other places, and what it lacks.

In: a network, communities, buildings and facilities. Out: a table by community, and connectors.
"""
