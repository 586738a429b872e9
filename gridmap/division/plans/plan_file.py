"""A plan as one GeoPackage, and back without loss: dtypes, lists, missing values and parameters."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
from shapely.geometry.base import BaseGeometry

from gridmap.errors import ReadError, WriteError
from gridmap.io.provenance import LAYER, provenance
from gridmap.io.write.tables import writing

if TYPE_CHECKING:
    from os import PathLike

    from gridmap.division.plans.plan import GridPlan

__all__ = ["read_plan", "same_plan", "write_plan"]

#: Layer that holds what a GeoPackage cannot: parameters, and the types of all columns.
_ABOUT = "gridmap_plan"
_FORMAT = 1
_GEOMETRY = "geom"
_RESERVED = ("fid", _GEOMETRY)
# What makes a plan of the layers of a project, where nothing tells the parameters and the pieces it was made of.
_ENOUGH = ("grids", "communities", "buildings")
_FROM_LAYERS = (
    " It holds the grids of one, as write_project writes them: tables = gridmap.read_project({path!r}).tables, then "
    "gridmap.GridPlan.from_grids(tables['grids'], tables['communities'], tables['buildings'], tables.get('streets'))."
)


def write_plan(plan: GridPlan, path: str | PathLike[str]) -> None:
    """Write all tables of a plan and its parameters; see `GridPlan.save`."""
    target = Path(path)
    if target.suffix.lower() != ".gpkg":
        raise WriteError(f"{target.name}: a plan is saved as one GeoPackage; name it {target.stem}.gpkg")
    about: dict[str, Any] = {"format": _FORMAT, "plan_hash": plan.plan_hash, "tables": {}}
    about["parameters"] = _plain(dict(plan.parameters))
    with writing(target) as draft:
        for field in fields(plan):
            # not getattr: atoms that can be made from the rest need not be made for this
            table = vars(plan)[field.name]
            if isinstance(table, pd.DataFrame):
                stored, about["tables"][field.name] = _encode(table)
                _write_layer(stored, draft, field.name)
        _write_layer(provenance(plan=plan), draft, LAYER)
        _write_layer(pd.DataFrame({"json": [json.dumps(about, ensure_ascii=False)]}), draft, _ABOUT)


def read_plan(path: str | PathLike[str]) -> dict[str, Any]:
    """The fields of a plan from a file of `write_plan`."""
    import pyogrio

    source = Path(path)
    if not source.is_file():
        raise ReadError(f"{source}: no such file")
    try:
        layers = {str(name) for name, _ in pyogrio.list_layers(source)}
    except pyogrio.errors.DataSourceError as error:
        raise ReadError(f"{source.name} is not a GeoPackage that can be read: {error}") from error
    if _ABOUT not in layers:
        raise ReadError(
            f"{source.name} is not a saved plan (it has no layer {_ABOUT}); write one with plan.save(path)."
            + (_FROM_LAYERS.format(path=str(source)) if set(_ENOUGH) <= layers else "")
        )
    about = json.loads(pyogrio.read_dataframe(source, layer=_ABOUT)["json"].iloc[0])
    if about["format"] > _FORMAT:
        raise ReadError(f"{source.name} was saved by a newer gridmap (format {about['format']}); upgrade gridmap")
    plan = {
        name: _decode(pyogrio.read_dataframe(source, layer=name), how)
        for name, how in about["tables"].items()
        if name in layers
    }
    return plan | {"parameters": about["parameters"]}


def same_plan(a: GridPlan, b: GridPlan) -> bool:
    """Whether two plans have equal tables, column types and parameters."""
    if _plain(dict(a.parameters)) != _plain(dict(b.parameters)):
        return False
    tables = [f.name for f in fields(a) if f.name != "parameters"]
    if not (a.has_atoms or b.has_atoms):
        tables = [name for name in tables if name not in ("atoms", "adjacency")]
    return all(_same_table(getattr(a, name), getattr(b, name)) for name in tables)


def _same_table(a: pd.DataFrame | None, b: pd.DataFrame | None) -> bool:
    if a is None or b is None:
        return a is b
    if list(a.columns) != list(b.columns) or len(a) != len(b) or getattr(a, "crs", None) != getattr(b, "crs", None):
        return False
    return all(_same_column(a[c], b[c]) for c in a.columns)


def _same_column(a: pd.Series, b: pd.Series) -> bool:
    if isinstance(a, gpd.GeoSeries):
        return bool((a.to_wkb().fillna(b"") == b.to_wkb().fillna(b"")).all())
    if a.dtype != b.dtype:
        return False
    return [_text_or_none(v) for v in a] == [_text_or_none(v) for v in b]


def _text_or_none(value: Any) -> str | None:
    if isinstance(value, (list, tuple, dict, np.ndarray)):
        return json.dumps(_plain(value), ensure_ascii=False)
    return None if pd.isna(value) else repr(_plain(value))


def _encode(table: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The table as a layer can hold it, and how to get back: stored name, type and coding of each column."""
    columns: dict[str, Any] = {}
    stored: dict[str, Any] = {}
    taken = set(_RESERVED)
    for position, name in enumerate(table.columns):
        values = table[name]
        if isinstance(values, gpd.GeoSeries):
            columns[name] = {"stored": _GEOMETRY, "type": "geometry"}
            continue
        # names of a GeoPackage's columns do not know upper from lower case
        plain = name if str(name).lower() not in taken else f"{name}_{position}"
        taken.add(str(plain).lower())
        coded = values.dtype == object and not values.map(lambda v: isinstance(v, str) or _missing(v)).all()
        stored[plain] = values.map(lambda v: None if _missing(v) else _dumps(v)) if coded else values
        columns[name] = {"stored": plain, "type": str(values.dtype), "json": bool(coded)}
        if coded:
            columns[name]["array"] = next((str(v.dtype) for v in values if isinstance(v, np.ndarray)), None)
        if plain in stored and stored[plain].isna().all():
            # a layer forgets the type of a column without values
            columns[name]["absent"] = True
            del stored[plain]
    how = {"columns": columns, "rows": len(table)}
    frame = pd.DataFrame(stored, index=table.index).reset_index(drop=True)
    if isinstance(table, gpd.GeoDataFrame):
        how["crs"] = None if table.crs is None else table.crs.to_json_dict()
        geometry = gpd.GeoSeries(table.geometry.array, crs=table.crs)
        return gpd.GeoDataFrame(frame, geometry=geometry), how
    return frame, how


def _decode(layer: pd.DataFrame, how: dict[str, Any]) -> Any:
    data: dict[str, Any] = {}
    for name, column in how["columns"].items():
        if column["type"] == "geometry":
            data[name] = layer.geometry.array
        elif column.get("absent"):
            data[name] = pd.Series([None] * how["rows"], dtype=object).astype(column["type"])
        else:
            values = layer[column["stored"]]
            if column["json"]:
                values = pd.Series([_loads(v, column["array"]) for v in values], dtype=object)
            elif column["type"] == "object":
                values = values.astype(object).where(values.notna(), None)
            data[name] = values.astype(column["type"])
    frame = pd.DataFrame(data)
    if "crs" in how:
        from pyproj import CRS

        crs = None if how["crs"] is None else CRS.from_json_dict(how["crs"])
        geometry = next(name for name, column in how["columns"].items() if column["type"] == "geometry")
        shapes = gpd.GeoSeries(np.asarray(frame.pop(geometry)), crs=crs)
        return gpd.GeoDataFrame(frame.assign(**{geometry: shapes}), geometry=geometry, crs=crs)[list(how["columns"])]
    return frame


def _write_layer(table: pd.DataFrame, path: Path, layer: str) -> None:
    import pyogrio

    spatial = isinstance(table, gpd.GeoDataFrame)
    kind = {"geometry_type": "Unknown", "promote_to_multi": False} if spatial else {}
    if not spatial and table.shape[1] == 0:
        table = table.assign(empty="")
    options = {"GEOMETRY_NAME": _GEOMETRY} if spatial else {}
    pyogrio.write_dataframe(table, path, layer=layer, append=path.exists(), layer_options=options, **kind)


def _missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and np.isnan(value)) or value is pd.NA or value is pd.NaT


def _dumps(value: Any) -> str:
    return json.dumps(_plain(value), ensure_ascii=False)


def _loads(value: Any, array: str | None) -> Any:
    if _missing(value):
        return None
    loaded = json.loads(value)
    return np.asarray(loaded, dtype=array) if array else loaded


def _plain(value: Any) -> Any:
    """The value with numpy's types turned into Python's, as JSON can hold them."""
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [_plain(v) for v in value]
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, BaseGeometry):
        return value.wkt
    return value
