"""Counting: who reaches what, and what follows from it: rates by unit, gaps, completeness, rules, scenarios.

In: buildings, facilities and a network. Out: a `Cover`, and tables made from it.
"""
