"""Datums: what coordinates are in, by the names that planners use, and the way to WGS 84.

`names` reads "CGCS2000 3度带 117", "北京54", "EPSG:4548"; `shifted` undoes GCJ-02 and BD-09, which no projection
library knows; `accuracy` says how far off a change of datum may be, for Beijing 1954 and Xian 1980 above all.
"""

from gridmap.io.datums.shifted import (
    SHIFTED,
    bd09_to_wgs84,
    gcj02_to_wgs84,
    shifted_name,
    to_wgs84,
    wgs84_to_bd09,
    wgs84_to_gcj02,
)

__all__ = ["SHIFTED", "bd09_to_wgs84", "gcj02_to_wgs84", "shifted_name", "to_wgs84", "wgs84_to_bd09", "wgs84_to_gcj02"]
