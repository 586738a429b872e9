"""The street network: streets become a graph, places become access points on its edges, and distances are searched.

In: streets (or a networkx graph), barriers, compounds and their gates, and the places to be reached. Out: a
`StreetNetwork`; `Access`, the places as points on edges with their legs; and for each origin the nearest targets with
metres and minutes. The definition of distance is that of the design, section 6.
"""
