"""Households where there are none: estimated from footprint, floors and use, or spread from zones with known totals.

`estimate` is the way in, and works on what `uses` knows of words, `floors` of heights and neighbours, and `spread` of
totals by census polygon or raster cell; `error` hides known households and tells how far off the estimates are.
"""
