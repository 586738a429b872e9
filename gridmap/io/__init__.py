"""Files: tables in, results out.

In: vector files, sheets with coordinates, OpenStreetMap extracts, frames, and PROJECT.toml. Out: tables that keep
their contracts (`gridmap.tables.contracts`), with what was read and what was left out in ``attrs["reading"]``; and
GeoPackage, GeoJSON, GeoParquet and Excel files that are written whole or not at all.
"""
