"""Write the synthetic town of sample_data: `python sample_data/make_town.py [folder]`.

Seeded: the same library versions write the same tables.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import openpyxl
import pandas as pd
import pyogrio

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from town.assemble import build  # noqa: E402

if TYPE_CHECKING:
    import geopandas as gpd

# One moment in every file that records when it was written, so that the files themselves do not change.
_MOMENT = "2024-06-01T00:00:00.000Z"
_LIST_HEADINGS = {
    "building_id": "楼栋编号",
    "name": "楼栋名称",
    "community_id": "社区编号",
    "compound_id": "院落编号",
    "group": "村民小组",
    "use": "用途",
    "floors": "层数",
    "households": "总户数",
    "residents": "常住人口",
    "registered": "户籍人口",
    "dwellings": "住宅套数",
    "elderly": "60岁以上老年人",
    "elderly_80": "80岁以上老年人",
    "children": "0-14岁儿童",
    "shops": "商铺数",
    "enterprises": "企业数",
}


def main(folder: Path = HERE) -> None:
    """Build the town and write its files to the folder."""
    tables = build()
    for name in ("communities", "compounds", "streets", "barriers", "facilities", "dedicated"):
        _write_geojson(tables[name], folder / f"{name}.geojson")
    _write_geojson(tables["grids"], folder / "grids_present.geojson")
    _write_geopackage(tables["buildings"], folder / "buildings.gpkg")
    _write_workbook(tables["buildings"], folder / "buildings.xlsx")
    entrances = tables["entrances"]
    columns = ["entrance_id", "of", "of_id", "kind", "modes", "open"]
    places = pd.DataFrame({"x": entrances.geometry.x.round(2), "y": entrances.geometry.y.round(2)})
    entrances[columns].join(places).to_csv(folder / "entrances.csv", index=False)
    tables["units"].to_csv(folder / "units.csv", index=False)
    for name, table in tables.items():
        print(f"{name}: {len(table):,} rows")


def _write_geojson(table: gpd.GeoDataFrame, path: Path) -> None:
    path.unlink(missing_ok=True)
    table.to_file(path, driver="GeoJSON", engine="pyogrio", COORDINATE_PRECISION=2, WRITE_NAME="NO")


def _write_geopackage(table: gpd.GeoDataFrame, path: Path) -> None:
    path.unlink(missing_ok=True)
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": _MOMENT})
    table.to_file(path, driver="GPKG", engine="pyogrio", layer="buildings")


def _write_workbook(table: gpd.GeoDataFrame, path: Path) -> None:
    """The buildings as a list with Chinese headings and a coordinate pair, as bureaus keep it."""
    points = table.geometry.representative_point()
    rows = pd.DataFrame(table[list(_LIST_HEADINGS)]).rename(columns=_LIST_HEADINGS)
    rows["X坐标"], rows["Y坐标"] = points.x.round(2), points.y.round(2)
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("楼栋台账")
    sheet.append(list(rows.columns))
    for row in rows.astype(object).where(rows.notna(), None).itertuples(index=False):
        sheet.append(list(row))
    book.save(path)


if __name__ == "__main__":
    main(*(Path(a) for a in sys.argv[1:2]))
