"""gridmap: cut communities into grids of 300-500 households, measure service circles, hand over an offline map."""
