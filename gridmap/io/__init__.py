"""Files: tables in, results out.

`read` takes vector files, sheets with coordinates, OpenStreetMap extracts, PostGIS tables and frames, and gives tables
that keep their contracts (`gridmap.tables.contracts`), with what was read and what was left out in
``attrs["reading"]``. `write` gives GeoPackage, GeoJSON, GeoParquet, CSV and Excel files and PostGIS tables that are
written whole or not at all. `database` is the way to PostGIS; `datums` holds the coordinates that are neither WGS 84
nor said to be something else; `project` a whole PROJECT.toml.
"""
