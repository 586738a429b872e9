"""Files: tables in, results out.

`read` takes vector files, sheets with coordinates, OpenStreetMap extracts and frames, and gives tables that keep their
contracts (`gridmap.tables.contracts`), with what was read and what was left out in ``attrs["reading"]``. `write` gives
GeoPackage, GeoJSON, GeoParquet, CSV and Excel files that are written whole or not at all. `datums` holds the
coordinates that are neither WGS 84 nor said to be something else; `project` a whole PROJECT.toml.
"""
