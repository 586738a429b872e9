"""What goes wrong on a planner's desk, in the order of the list: one clear error with rows and remedy, or a finding."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
from shapely import LineString, Point, Polygon, box

import gridmap as gm

CRS = 32650


def communities(**changes):
    table = {"community_id": ["A", "B"], "name": ["East", "West"], "code": ["110101001001", "110101001002"]}
    return gpd.GeoDataFrame(table | changes, geometry=[box(0, 0, 200, 200), box(200, 0, 400, 200)], crs=CRS)


def buildings(households=80, n=12):
    """Rows of houses, six in each community."""
    at = [(30 + 65 * (i % 6), 60 + 80 * (i // 6)) for i in range(n)]
    table = {"building_id": [f"b{i:02d}" for i in range(n)], "households": np.full(n, float(households))}
    return gpd.GeoDataFrame(table, geometry=[box(x, y, x + 20, y + 20) for x, y in at], crs=CRS)


def streets():
    lines = [LineString([(0, 100), (200, 100), (400, 100)]), LineString([(200, 0), (200, 100), (200, 200)])]
    return gpd.GeoDataFrame({"class": ["residential"] * 2}, geometry=lines, crs=CRS)


def facilities(at=(100, 95), category="clinic"):
    return gpd.GeoDataFrame({"facility_id": ["f1"], "category": [category]}, geometry=[Point(at)], crs=CRS)


def rules(findings):
    return set(findings["rule"])


def test_an_empty_file_is_named(tmp_path):
    path = tmp_path / "houses.geojson"
    path.touch()
    with pytest.raises(gm.ReadError, match=r"houses\.geojson: the file is empty.*Export or copy it again"):
        gm.read_buildings(path)


def test_a_missing_column_is_named_with_its_remedy():
    with pytest.raises(gm.TableError, match=r"households: no such column.*gridmap\.estimate_households"):
        gm.divide(communities(), buildings().drop(columns="households"))
    with pytest.raises(gm.TableError, match="category: no such column"):
        gm.cover(buildings(), facilities().drop(columns="category"), streets())


@pytest.mark.parametrize("table", ["communities", "buildings", "streets"])
def test_a_table_without_crs_is_refused_everywhere(table):
    tables = {"communities": communities(), "buildings": buildings(), "streets": streets()}
    tables[table] = tables[table].set_crs(None, allow_override=True)
    with pytest.raises(gm.TableError, match=f"{table}: 1 violation.*\n.*no CRS.*Pass crs="):
        gm.divide(**tables)


def test_a_polygon_that_crosses_itself_is_named_by_row():
    crossed = communities()
    crossed.loc[1, "geometry"] = Polygon([(200, 0), (400, 200), (400, 0), (200, 200)])
    with pytest.raises(gm.TableError, match=r"row 1: geometry = Self-intersection.*make_valid"):
        gm.divide(crossed, buildings(), streets())


def test_all_violations_come_at_once():
    wrong = buildings()
    wrong["building_id"] = wrong["building_id"].where(wrong.index != 3, "b00")
    wrong.loc[5, "households"] = -4
    wrong.loc[7, "households"] = np.nan
    with pytest.raises(gm.TableError) as error:
        gm.divide(communities(), wrong, streets())
    table = error.value.violations
    assert set(zip(table["row"], table["column"], strict=True)) == {
        (3, "building_id"), (5, "households"), (7, "households"),
    }  # fmt: skip
    assert all(remedy for remedy in table["remedy"])


def test_buildings_outside_every_community_are_counted_and_kept():
    houses = buildings()
    houses.loc[0, "geometry"] = box(900, 900, 920, 920)
    plan = gm.divide(communities(), houses, streets())
    found = plan.findings[plan.findings["rule"] == "building_outside_communities"]
    assert found["ids"].tolist() == [["b00"]]
    astray = plan.assignment.set_index("building_id").loc["b00"]
    assert astray["households"] == 80
    assert astray["grid_id"] is None or np.isnan(astray["grid_id"])
    assert plan.grids["households"].sum() == 11 * 80


def test_a_facility_far_from_any_street_is_counted():
    cover = gm.cover(buildings(), facilities(at=(100, 400)), streets())
    found = cover.findings[cover.findings["rule"] == "facilities_far"]
    assert found["ids"].tolist() == [["f1"]]


def test_street_islands_are_counted_and_reach_nothing_else():
    apart = streets()
    apart.loc[2] = ["residential", LineString([(2000, 100), (2020, 100)])]
    apart = gpd.GeoDataFrame(apart, crs=CRS)
    cover = gm.cover(buildings(), facilities(at=(2010, 100)), apart)
    assert {"street_islands", "facilities_isolated"} <= rules(cover.findings)
    assert not cover.reach["covered"].any()
    assert set(cover.reach["status"]) == {"unreachable"}


def test_communities_that_overlap_are_a_finding_and_no_household_counts_twice():
    both = communities()
    both.loc[0, "geometry"] = box(0, 0, 260, 200)
    plan = gm.divide(both, buildings(), streets())
    assert "communities_overlap" in rules(plan.findings)
    assert plan.grids["households"].sum() == 12 * 80


def test_a_community_without_households_is_one_empty_grid():
    houses = buildings()
    houses.loc[houses.centroid.x > 200, "households"] = 0
    plan = gm.divide(communities(), houses, streets())
    empty = plan.grids[plan.grids["community_id"] == "B"]
    assert empty["status"].tolist() == ["empty"]
    assert "empty_community" in rules(plan.findings)


def test_a_category_that_nobody_offers_is_a_finding_and_covers_nobody():
    cover = gm.cover(buildings(), facilities(), streets(), minutes={"clinic": 15, "library": 10})
    found = cover.findings[cover.findings["rule"].str.contains("categor")]
    assert any("library" in message for message in found["message"])
    rate = cover.rate().set_index("category")["rate"]
    assert rate["library"] == 0
    assert rate["clinic"] == 1


def test_a_run_that_fails_leaves_the_former_files_whole(tmp_path, monkeypatch):
    from gridmap.job import run_project

    for name, table in (("communities", communities()), ("buildings", buildings()), ("streets", streets())):
        table.to_file(tmp_path / f"{name}.gpkg")
    project = tmp_path / "project.toml"
    project.write_text(
        '[project]\nname = "x"\n[inputs]\ncommunities = "communities.gpkg"\nbuildings = "buildings.gpkg"\n'
        'streets = "streets.gpkg"\n',
        encoding="utf-8",
    )
    out = tmp_path / "out"
    run_project(project, out)
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    assert {"map.html", "ledger.xlsx", "grids.gpkg"} <= set(before)

    def fail(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("gridmap.outputs.write_workbook", fail)
    with pytest.raises(gm.WriteError, match="No space left on device"):
        run_project(project, out)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
