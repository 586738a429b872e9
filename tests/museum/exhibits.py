"""What an exhibit is, and the sound things that exhibits are spoilt from."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import shapely

import gridmap as gm
from gridmap.io.read.readers import read_plain_table

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

#: What a bad file is given to: a public reader by its table, or `read_project`.
READERS: dict[str, Callable[..., Any]] = {
    "communities": gm.read_communities,
    "buildings": gm.read_buildings,
    "compounds": gm.read_compounds,
    "entrances": gm.read_entrances,
    "barriers": gm.read_barriers,
    "facilities": gm.read_facilities,
    "streets": gm.read_streets,
    "units": lambda source, **options: read_plain_table("units", source, **options),
    "households": lambda source, **options: read_plain_table("households", source, **options),
    "counts": gm.read_counts,
    "project": gm.read_project,
}


@dataclass(frozen=True)
class Exhibit:
    """A bad file: who reads it, with which arguments, and what must be said.

    In `message`, ``<path>`` is the file as it was passed and ``<folder>`` the folder it is in; ``<why>`` stands for the
    reason that a library below gives, whose words are its own.
    """

    table: str
    make: Callable[[Path], Path]
    error: type[gm.GridmapError]
    message: str
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What the exhibit is called."""
        return self.make.__name__


EXHIBITS: list[Exhibit] = []


def exhibit(
    table: str, error: type[gm.GridmapError], message: str, **options: Any
) -> Callable[[Callable[[Path], Path]], Callable[[Path], Path]]:
    """Hang up what the function below makes."""

    def hang(make: Callable[[Path], Path]) -> Callable[[Path], Path]:
        EXHIBITS.append(Exhibit(table, make, error, message, options))
        return make

    return hang


def table_message(table: str, rows: str, *lines: str) -> str:
    """The message of a `TableError`: the table, how its rows are called, and a line for each violation."""
    noun = "violation" if len(lines) == 1 else "violations"
    return "\n  ".join([f"{table} (<path>; row = {rows}): {len(lines)} {noun} of the table's contract", *lines])


def houses(**changes: Any) -> gpd.GeoDataFrame:
    """Three sound buildings in Beijing, with other or more columns."""
    lon = np.array([116.33, 116.34, 116.35])
    frame = gpd.GeoDataFrame(
        {"id": ["001", "002", "003"], "households": [10, 20, 30]},
        geometry=shapely.box(lon, 40.0, lon + 0.0005, 40.0005),
        crs=4326,
    )
    return frame.assign(**changes)


def text(path: Path, content: str, encoding: str = "utf-8") -> Path:
    """A file of this text."""
    path.write_bytes(content.encode(encoding))
    return path


def geojson(path: Path, *geometries: dict[str, Any] | None, **properties: Any) -> Path:
    """A GeoJSON file of buildings with these geometries, whatever they are worth."""
    features = [
        {"type": "Feature", "properties": {"id": f"{i:03d}", "households": 10, **properties}, "geometry": geometry}
        for i, geometry in enumerate(geometries, 1)
    ]
    return text(path, json.dumps({"type": "FeatureCollection", "features": features}))


def square(lon: float = 116.33, lat: float = 40.0, side: float = 0.001) -> dict[str, Any]:
    """A sound polygon as GeoJSON has it."""
    polygon: dict[str, Any] = json.loads(shapely.to_geojson(shapely.box(lon, lat, lon + side, lat + side)))
    return polygon
