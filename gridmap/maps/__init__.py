"""Maps: results as one HTML file that opens anywhere.

In: a plan, a cover and tables, in any order. Out: a folium map whose page holds its own code, styles and data, asks
the network for nothing, and shows the numbers of the tables without recomputing any.
"""
