"""Boundaries from words: the polygon that a written description by four bounds (四至) encloses.

In: streets with names, and the names of the sides. Out: the polygons that fit, ranked, with the evidence.
"""
