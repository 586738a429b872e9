"""Land: the ground between streets as a raster, what it costs from each cell, and outlines of what is within reach.

In: a prepared network, places on it and a threshold. Out: rasters of cost, and polygons.
"""
