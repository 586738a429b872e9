"""Styles in the GeoPackage: QGIS finds them by its own query, and they name what the tables hold."""

from __future__ import annotations

import sqlite3
from xml.etree import ElementTree as ET

import pytest
from map_town import HOSTILE, make_town

from gridmap.errors import OptionError
from gridmap.io.project import read_project, write_project
from gridmap.io.read.readers import read_communities
from gridmap.io.write.qgis_styles import layer_styles
from gridmap.io.write.tables import STYLES_LAYER, write_layers
from gridmap.view.colours import STATUS_COLOURS

# What QGIS asks for the style of a layer with (QgsOgrProviderMetadata::loadStyle); it lists all columns of its table,
# and without one of them it finds no style at all.
QUERY = (
    "SELECT styleQML FROM (SELECT id, f_table_catalog, f_table_schema, f_table_name, f_geometry_column, styleName, "
    "styleQML, styleSLD, useAsDefault, description, owner, ui, update_time FROM layer_styles) "
    "WHERE f_table_schema='' AND f_table_name=? AND f_geometry_column=? "
    "ORDER BY CASE WHEN useAsDefault THEN 1 ELSE 2 END, update_time DESC LIMIT 1"
)


@pytest.fixture(scope="module")
def town():
    return make_town()


def renderer(qml: str) -> ET.Element:
    return ET.fromstring(qml).find("renderer-v2")  # noqa: S314 (our own text)


def test_every_map_layer_opens_with_a_style(town, tmp_path):
    tables = {"circles": town["circles"], "gaps": town["cover"].gaps()}
    path = write_project(tmp_path / "grids.gpkg", plan=town["plan"], cover=town["cover"], tables=tables, lang="zh")
    with sqlite3.connect(path) as file:
        spatial = dict(file.execute("SELECT table_name, column_name FROM gpkg_geometry_columns"))
        assert file.execute("SELECT data_type FROM gpkg_contents WHERE table_name='layer_styles'").fetchone() == (
            "attributes",
        )
        styles = {name: file.execute(QUERY, (name, column)).fetchall() for name, column in spatial.items()}
        columns = {name: {row[1] for row in file.execute(f'PRAGMA table_info("{name}")')} for name in spatial}
        keys = [row[1] for row in file.execute("PRAGMA table_info(layer_styles)") if row[5]]
    assert keys == ["id"]
    without = {name for name, found in styles.items() if not found}
    assert not without
    for name, found in styles.items():
        for (qml,) in found:
            drawn = renderer(qml)
            assert drawn.get("attr") is None or drawn.get("attr") in columns[name]
            assert all(s.find("layer/Option/Option") is not None for s in drawn.iter("symbol"))
    assert {"grids", "communities", "buildings", "facilities", "circles", "gaps", "reach"} <= set(styles)
    # the file is still a project
    assert "grids" in read_project(path).tables


def test_grids_are_told_apart_by_status_in_the_colours_of_the_map(town):
    table = layer_styles({"grids": town["grids"]}, "en").set_index("f_table_name")
    drawn = renderer(table.loc["grids", "styleQML"])
    entries = {c.get("value"): (c.get("label"), c.get("symbol")) for c in drawn.iter("category")}
    assert set(entries) == set(town["grids"]["status"])
    assert entries["above"][0] == "above"
    colours = {
        s.get("name"): next(o.get("value") for o in s.iter("Option") if o.get("name") == "color")
        for s in drawn.iter("symbol")
    }
    for status, (_, symbol) in entries.items():
        red, green, blue, _ = map(int, colours[symbol].split(","))
        assert f"#{red:02x}{green:02x}{blue:02x}" == STATUS_COLOURS[status]


def test_circles_and_facilities_have_a_class_each(town):
    table = layer_styles({"circles": town["circles"], "facilities": town["facilities"]}, "zh")
    styles = table.set_index("f_table_name")["styleQML"]
    circles = [(c.get("value"), c.get("label")) for c in renderer(styles["circles"]).iter("category")]
    assert circles == [("5", "5分钟"), ("10", "10分钟"), ("15", "15分钟")]
    values = {c.get("value") for c in renderer(styles["facilities"]).iter("category")}
    assert values == set(town["facilities"]["category"])


def test_mixed_kinds_have_the_style_of_most(town):
    services = town["facilities"]
    points = len(services) // 2 + 1
    shapes = [*services.geometry[:points], *services.geometry[points:].buffer(5)]
    mixed = layer_styles({"facilities": services.set_geometry(shapes, crs=services.crs)}).iloc[0]["styleQML"]
    assert {s.get("type") for s in renderer(mixed).iter("symbol")} == {"marker"}
    areas = layer_styles({"facilities": services.set_geometry(services.buffer(5))}).iloc[0]["styleQML"]
    assert {s.get("type") for s in renderer(areas).iter("symbol")} == {"fill"}


def test_hostile_categories_stay_values(town):
    services = town["facilities"].assign(category=list(HOSTILE))
    qml = layer_styles({"facilities": services}).iloc[0]["styleQML"]
    assert {c.get("value") for c in renderer(qml).iter("category")} == set(HOSTILE)


def test_tables_of_no_kind_have_no_style(town):
    assert len(layer_styles({"rates": town["cover"].rate(), "grids": town["grids"].iloc[:0]})) == 0
    with pytest.raises(OptionError, match="en, zh"):
        write_project("x.gpkg", plan=town["plan"], lang="fr")


def test_a_file_of_one_layer_that_qgis_styled_is_read(town, tmp_path):
    path = write_layers(
        {"x": town["communities"], STYLES_LAYER: layer_styles({"grids": town["grids"]})}, tmp_path / "x.gpkg"
    )
    assert read_communities(path)["community_id"].tolist() == town["communities"]["community_id"].tolist()
