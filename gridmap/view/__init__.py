"""View: small summaries of results for people.

In: plain tables (grids, rates, findings). Out: text and tables for a terminal. Knows only tables, computes nothing new.
"""
