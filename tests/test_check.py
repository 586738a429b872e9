"""The topology audit: one small town with one fault a test, and the real sub-districts of Beijing and Las Palmas."""

from __future__ import annotations

import itertools
import json

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from shapely import MultiPolygon, Point, Polygon, box

import gridmap as gm
from gridmap.errors import OptionError, TableError
from gridmap.maps.finding_words import told_findings
from gridmap.tables.check.layers import recognise
from gridmap.tables.check.measures import narrow
from gridmap.tables.findings import COLUMNS

X, Y = 500_000, 4_400_000  # on the central meridian of EPSG:32650, near Beijing


def at(x0, y0, x1, y1) -> Polygon:
    return box(X + x0, Y + y0, X + x1, Y + y1)


def table(shapes, crs=32650, **columns) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(columns, geometry=list(shapes), crs=crs)


def communities(*shapes) -> gpd.GeoDataFrame:
    return table(shapes, community_id=[f"c{i}" for i in range(1, len(shapes) + 1)])


def buildings(*shapes, **columns) -> gpd.GeoDataFrame:
    return table(shapes, building_id=[f"b{i}" for i in range(1, len(shapes) + 1)], **columns)


def rules(found) -> list[tuple[str, str]]:
    return list(zip(found["rule"], found["status"], strict=True))


def only(found, rule):
    """The one finding of a rule, and its certificate."""
    rows = found[found["rule"] == rule]
    assert len(rows) == 1, found[["rule", "message"]]
    return rows.iloc[0], json.loads(rows.iloc[0]["certificate"])


QUARTERS = (at(0, 0, 100, 100), at(100, 0, 200, 100), at(0, 100, 100, 200), at(100, 100, 200, 200))


def test_sound_tables_have_no_findings():
    grids = table(QUARTERS, grid_id=list("1234"), community_id=["c1"] * 4)
    houses = buildings(at(10, 10, 30, 30), at(110, 110, 130, 130), households=[20, 30])
    found = gm.check(grids, communities(at(0, 0, 200, 200)), houses)
    assert len(found) == 0
    assert list(found.columns) == list(COLUMNS)


def test_overlap_names_owners_place_size_and_households():
    units = communities(at(0, 0, 110, 100), at(100, 0, 200, 100))
    houses = buildings(at(102, 10, 108, 20), at(150, 10, 160, 20), households=[7, 50])
    found = gm.check(units, houses)
    row, sizes = only(found, "units_overlap")
    assert (row["severity"], row["ids"]) == ("error", ["c1", "c2"])
    # 10 m x 100 m; twice the area by the perimeter of 220 m
    assert (sizes["area_m2"], sizes["width_m"], sizes["households"]) == (1000.0, 9.09, 7.0)
    assert row["geometry"].equals(at(100, 0, 110, 100))
    assert row["message"] == "communities: c1 and c2 both have 1,000 m², about 9.1 m wide, with 7 households."


def test_gap_is_graver_where_people_live():
    ring = [at(0, 0, 200, 50), at(0, 150, 200, 200), at(0, 50, 50, 150), at(150, 50, 200, 150)]
    units = communities(*ring)
    row, sizes = only(gm.check(units), "units_gap")
    assert (row["severity"], sizes["area_m2"]) == ("warning", 10_000.0)
    assert row["geometry"].equals(at(50, 50, 150, 150))
    assert row["ids"] == ["c1", "c2", "c3", "c4"]
    row, sizes = only(gm.check(units, buildings(at(90, 90, 110, 110), households=[12])), "units_gap")
    assert (row["severity"], sizes["households"]) == ("error", 12.0)


def test_a_bay_of_the_rim_is_no_gap():
    found = gm.check(communities(at(0, 0, 100, 50), at(0, 50, 40, 100), at(60, 50, 100, 100)))
    # the lower one lacks the two vertices where the upper ones begin
    assert rules(found) == [("borders_unmatched", "communities")]


@pytest.mark.parametrize("shut", [False, True])
def test_a_gap_that_reaches_the_outside_is_told_with_place_and_size(shut):
    # 5 cm for 100 m, open at both ends or, closed below by a third, at one
    below = [at(0, -20, 200, 0)] if shut else []
    found = gm.check(communities(at(0, 0, 100, 100), at(100.05, 0, 200, 100), *below))
    row, sizes = only(found, "units_sliver")
    assert (row["status"], row["severity"], row["ids"][:2]) == ("open_gap", "warning", ["c1", "c2"])
    assert sizes["area_m2"] == pytest.approx(5, abs=1e-3)
    assert sizes["width_m"] == pytest.approx(0.05, abs=1e-3)
    assert sizes["length_m"] == pytest.approx(100, rel=0.01)
    assert row["geometry"].symmetric_difference(at(100, 0, 100.05, 100)).area < 1e-3
    assert "repair(table)" in row["cure"]


@pytest.mark.parametrize(
    "shapes",
    [
        (at(0, 0, 100, 100), at(101.2, 0, 200, 100)),  # a lane wider than a sliver
        (at(0, 0, 100, 100), at(100.3, 100.3, 200, 200)),  # corner to corner
        (at(0, 0, 100, 100), Polygon([(X + 100, Y), (X + 200, Y), (X + 200, Y + 90), (X + 103, Y + 90)])),  # a wedge
    ],
)
def test_neighbours_apart_are_no_open_gap(shapes):
    assert rules(gm.check(communities(*shapes))) == []


@pytest.mark.parametrize("width", [0.02, 0.4, 0.99])
def test_slivers_are_told_apart_from_land(width):
    overlap = communities(at(0, 0, 100 + width, 100), at(100, 0, 200, 100))
    row, sizes = only(gm.check(overlap), "units_sliver")
    assert (row["severity"], row["status"], row["ids"]) == ("warning", "overlap", ["c1", "c2"])
    assert sizes["area_m2"] == pytest.approx(100 * width, abs=1e-4)
    assert sizes["length_m"] == pytest.approx(100, rel=0.02)
    gap = communities(at(0, 0, 100, 99), at(100 + width, 0, 200, 99), at(0, 99, 200, 120), at(0, -20, 200, 0))
    row, sizes = only(gm.check(gap), "units_sliver")
    assert (row["status"], sizes["area_m2"]) == ("gap", pytest.approx(99 * width, abs=1e-4))
    assert set(row["ids"]) == {"c1", "c2", "c3", "c4"}


def test_what_is_wider_than_a_sliver_somewhere_is_land():
    # a strip of half a metre that opens into a square of 5 m
    blob = shapely.union_all([at(100, 0, 100.5, 60), at(100, 60, 105, 65)])
    units = communities(shapely.union_all([at(0, 0, 100, 100), blob]), at(100, 0, 200, 100))
    assert only(gm.check(units), "units_overlap")[1]["area_m2"] == pytest.approx(30 + 25)
    assert len(gm.check(units, sliver_width=5.5)) == 1
    assert only(gm.check(units, sliver_width=5.5), "units_sliver")[0]["status"] == "overlap"


def test_rounding_is_not_told():
    assert len(gm.check(communities(at(0, 0, 100 + 1e-5, 100), at(100, 0, 200, 100)))) == 1
    found = gm.check(communities(at(0, 0, 100 + 1e-5, 100), at(100, 0, 200, 100)))
    # 1e-5 m x 100 m = 0.001 m², below the least area; but the corners are not the same
    assert rules(found) == [("borders_unmatched", "communities")]


def test_compounds_may_stand_apart_but_not_overlap():
    ring = [at(0, 0, 200, 50), at(0, 150, 200, 200), at(0, 50, 50, 150), at(150, 50, 200, 150)]
    assert len(gm.check(table(ring, compound_id=list("abcd")))) == 0
    assert rules(gm.check(table([at(0, 0, 60, 60), at(50, 0, 90, 60)], compound_id=["a", "b"]))) == [
        ("units_overlap", "compounds")
    ]


@pytest.mark.parametrize("seed", range(5))
def test_areas_are_those_of_a_brute_force_overlay(seed):
    """All overlaps and gaps together, against areas counted on a grid of points."""
    r = np.random.default_rng(seed)
    corners = r.integers(0, 60, (8, 2))
    shapes = [at(x, y, x + w, y + h) for (x, y), (w, h) in zip(corners, r.integers(5, 40, (8, 2)), strict=True)]
    found = gm.check(communities(*shapes), least_area=1e-9)
    # the shapes have whole metres: the middle of each square metre says who owns it
    middle = shapely.points(*(a.ravel() + 0.5 for a in np.meshgrid(X + np.arange(110), Y + np.arange(110))))
    owners = np.array([shapely.contains(shape, middle) for shape in shapes])
    doubly = sum(int((owners[i] & owners[j]).sum()) for i, j in itertools.combinations(range(8), 2))
    told = found[found["rule"].isin(["units_overlap", "units_sliver"]) & ~found["status"].str.endswith("gap")]
    assert told.area.sum() == pytest.approx(doubly)
    from scipy.ndimage import label

    free, count = label(~owners.any(axis=0).reshape(110, 110))
    rim = set(np.unique(np.r_[free[0], free[-1], free[:, 0], free[:, -1]]))
    enclosed = sum(int((free == k).sum()) for k in range(1, count + 1) if k not in rim)
    gaps = found[(found["rule"] == "units_gap") | ((found["rule"] == "units_sliver") & (found["status"] == "gap"))]
    assert gaps.area.sum() == pytest.approx(enclosed)


def test_children_leave_and_do_not_fill_their_parents():
    grids = table([at(0, 0, 100, 120), at(100, 0, 200, 90)], grid_id=["g1", "g2"], community_id=["c1", "c2"])
    parents = communities(at(0, 0, 100, 100), at(100, 0, 200, 100), at(200, 0, 300, 100))
    found = gm.check(grids, parents)
    row, sizes = only(found, "child_outside_parent")
    assert (row["severity"], row["ids"], sizes["area_m2"]) == ("error", ["g1", "c1"], 2000.0)
    left = found[found["rule"] == "parent_not_covered"]
    left = left.set_index(left["ids"].str[0])
    assert left.area.to_dict() == {"c3": 10_000.0, "c2": 1000.0}
    assert left["message"]["c3"].startswith("communities: c3 has no grids")


def test_a_parent_is_named_by_id_code_or_name_else_told_by_place():
    parents = table([at(0, 0, 100, 100), at(100, 0, 200, 100)], name=["东街道", "西街道"])
    units = communities(at(0, 0, 100, 100), at(100, 0, 200, 100))
    assert len(gm.check(units, subdistricts=parents)) == 0
    assert len(gm.check(units.assign(subdistrict=["东街道", "西街道"]), subdistricts=parents)) == 0
    swapped = gm.check(units.assign(subdistrict=["西街道", "东街道"]), subdistricts=parents)
    assert swapped["rule"].tolist() == ["child_outside_parent"] * 2
    row, _ = only(gm.check(units.assign(subdistrict=["东街道", "北街道"]), subdistricts=parents), "parent_unknown")
    assert row["ids"] == ["c2"]


def test_pieces_and_enclaves():
    ring = at(0, 0, 100, 100).difference(at(40, 40, 60, 60))
    apart = MultiPolygon([at(40, 40, 60, 60), at(200, 0, 300, 100)])
    found = gm.check(communities(ring, apart))
    row, sizes = only(found, "unit_multipart")
    assert (row["severity"], row["ids"], sizes["pieces"], sizes["area_m2"]) == ("info", ["c2"], 2, 400.0)
    row, sizes = only(found, "unit_enclave")
    assert (row["status"], row["ids"], sizes["area_m2"]) == ("piece", ["c2", "c1"], 400.0)
    assert len(found) == 2
    whole = gm.check(communities(ring, at(40, 40, 60, 60)))
    assert rules(whole) == [("unit_enclave", "whole")]
    assert gm.check(table([ring, apart], grid_id=["1", "2"]))["severity"].tolist() == ["warning", "info"]


def test_an_enclave_in_an_enclave_is_told_once():
    outer = at(0, 0, 100, 100).difference(at(20, 20, 80, 80))
    middle = at(20, 20, 80, 80).difference(at(40, 40, 60, 60))
    found = gm.check(communities(outer, middle, at(40, 40, 60, 60)))
    assert [(r["ids"], r["geometry"].area) for r in found.to_dict("records")] == [
        (["c2", "c1"], 3200.0),
        (["c3", "c2"], 400.0),
    ]


def test_invalid_ring_says_reason_and_place():
    bow_tie = Polygon([(X, Y), (X + 10, Y + 10), (X + 10, Y), (X, Y + 10)])
    twice = Polygon(
        [(X + x, Y + y) for x, y in [(50, 0), (90, 0), (90, 40), (60, 40), (60, 10), (80, 10), (80, 50), (50, 50)]]
    )
    units = communities(bow_tie, twice).to_crs(4490)
    found = gm.check(units)
    rows = found[found["rule"] == "ring_invalid"]
    rows = rows.set_index(rows["ids"].str[0])
    assert rows["status"].to_dict() == {"c1": "mendable", "c2": "ambiguous"}
    assert "Self-intersection" in rows["message"]["c1"]
    # the two lines cross in the middle of the square
    assert gpd.GeoSeries([rows["geometry"]["c1"]], crs=4490).to_crs(32650)[0].distance(Point(X + 5, Y + 5)) < 0.01
    assert found.crs == units.crs


def test_repeated_ids_and_contract_are_findings_not_errors():
    houses = buildings(at(0, 0, 10, 10), at(20, 0, 30, 10), at(40, 0, 50, 10), households=[5, -1, 3])
    houses["building_id"] = ["007", "007", "8"]
    found = gm.check(houses)
    row, sizes = only(found, "id_repeated")
    assert (row["severity"], row["ids"], sizes["rows"]) == ("error", ["007"], 2)
    row, sizes = only(found, "contract")
    assert (row["ids"], sizes["column"]) == (["007"], "households")
    assert row["message"] == "buildings.households: 007: -1; expected a number, 0 or more."


def test_a_broken_contract_names_the_rows_that_its_ids_are():
    houses = buildings(*[at(20 * i, 0, 20 * i + 10, 10) for i in range(4)], households=[5, -1, 3, -2])
    houses["building_id"] = ["a", "b", None, "d"]
    houses.index = [7, 7, 8, 8]
    found = gm.check(houses)
    found = found[found["rule"] == "contract"].set_index(found["certificate"].map(lambda c: json.loads(c)["column"]))
    assert found["ids"].to_dict() == {"building_id": ["row 3"], "households": ["b", "d"]}
    assert found["message"]["building_id"].startswith("buildings.building_id: row 3: missing;")
    assert found["message"]["households"].startswith("buildings.households: 2 rows, first b: -1;")
    assert shapely.get_num_geometries(found["geometry"]["households"]) == 2


@pytest.mark.parametrize(
    ("second", "rule", "status"),
    [
        (at(0, 0, 20, 10), "building_double", "same_footprint"),
        (shapely.reverse(at(0, 0, 20, 10)), "building_double", "same_footprint"),
        (at(0.5, 0, 20.5, 10), "building_double", "near_same"),  # 195 of 205 m²
        (at(5, 0, 25, 10), "building_stacked", "stacked"),  # 150 of the 200 m² of either
        (at(5, 5, 8, 8), "building_stacked", "stacked"),
    ],
)
def test_doubled_buildings(second, rule, status):
    found = gm.check(buildings(at(0, 0, 20, 10), second, at(20, 0, 40, 10), households=[12, 9, 5]))
    row, sizes = only(found, rule)
    assert (row["status"], row["ids"], row["severity"]) == (status, ["b1", "b2"], "warning")
    assert (sizes["households"], sizes["households_twice"]) == (21.0, 9.0)
    assert len(found) == 1


def test_neighbours_that_share_a_wall_or_a_strip_are_no_doubles():
    assert len(gm.check(buildings(at(0, 0, 20, 10), at(20, 0, 40, 10), at(39, 0, 60, 10)))) == 0


def test_rows_without_a_shape_are_no_doubles():
    nowhere = [None, None, shapely.Polygon(), shapely.Polygon(), shapely.MultiPolygon(), Point()]
    found = gm.check(buildings(at(0, 0, 20, 10), *nowhere, households=[12, 9, 5, 5, 5, 5, 5]))
    # the contract has them, and nothing else
    assert set(found["rule"]) == {"contract"}
    assert sorted({i for ids in found["ids"] for i in ids}) == ["b2", "b3", "b4", "b5", "b6", "b7"]


def test_points_at_one_place():
    found = gm.check(buildings(Point(X, Y), Point(X, Y), Point(X + 1, Y), households=[4, 6, 5]))
    row, sizes = only(found, "building_same_point")
    assert (row["ids"], sizes["households"]) == (["b1", "b2"], 10.0)


def test_outside_across_and_on_a_border():
    units = communities(at(0, 0, 100, 100), at(100, 0, 200, 100))
    houses = buildings(
        at(10, 10, 20, 20), at(95, 10, 105, 20), at(99.5, 40, 110, 50), at(300, 0, 310, 10), Point(X + 100.4, Y + 80),
        households=[1, 2, 4, 8, 16],
    )  # fmt: skip
    found = gm.check(units, houses)
    assert {r["rule"]: (r["ids"], json.loads(r["certificate"])["households"]) for r in found.to_dict("records")} == {
        "outside_units": (["b4"], 8.0),
        "across_border": (["b2"], 2.0),  # half a metre of b3 is a sliver
        "on_border": (["b5"], 16.0),
    }


def test_things_are_judged_by_the_smallest_level():
    grids = table([at(0, 0, 100, 100)], grid_id=["g"])
    units = communities(at(0, 0, 200, 100))
    _, sizes = only(gm.check(units, grids, buildings(at(150, 0, 160, 10), households=[3])), "outside_units")
    assert sizes["units"] == "grids"


def test_households_where_nobody_lives():
    houses = buildings(
        at(0, 0, 10, 10), at(20, 0, 30, 10), at(40, 0, 50, 10), at(60, 0, 70, 10),
        households=[3, 4, 5, 0], use=["school", "apartments", "小学教学楼", "school"],
    )  # fmt: skip
    row, sizes = only(gm.check(houses), "households_not_residential")
    assert (row["ids"], sizes["uses"]) == (["b1", "b3"], {"小学教学楼": 5.0, "school": 3.0})
    assert row["message"] == (
        "buildings: 8 households are in 2 buildings of uses that nobody lives in: 小学教学楼 (5), school (3)."
    )


def test_totals_by_key_and_by_place():
    houses = buildings(at(0, 0, 10, 10), at(20, 0, 30, 10), households=[30, 12], compound_id=["x", "x"])
    units = pd.DataFrame({"building_id": ["b1", "b1", "b2"], "unit_id": ["1", "2", "1"], "households": [10, 19, 12]})
    walls = table([at(-5, -5, 40, 20)], compound_id=["x"], households=[40])
    land = communities(at(-50, -50, 50, 50)).assign(households=[42])
    found = gm.check(houses, units, walls, land)
    told = {
        tuple(r["ids"]): json.loads(r["certificate"])
        for r in found[found["rule"] == "total_differs"].to_dict("records")
    }
    assert {ids: (c["stated"], c["sum"], c["difference"]) for ids, c in told.items()} == {
        ("b1",): (30.0, 29.0, -1.0),
        ("x",): (40.0, 42.0, 2.0),
    }
    guessed = gm.check(houses.assign(households_estimated=True), walls)
    assert guessed["severity"].tolist() == ["info"]


def test_gates():
    walls = table([at(0, 0, 50, 50), at(60, 0, 90, 50)], compound_id=["x", "y"])
    gates = table(
        [Point(X, Y + 25), Point(X + 25, Y + 20), Point(X + 25, Y + 20), Point(X, Y)],
        entrance_id=list("1234"), of=["compound", "Compound", "building", "compound"], of_id=["x", "x", "x", "z"],
    )  # fmt: skip
    found = gm.check(walls, gates)
    assert {r["rule"]: r["ids"] for r in found.to_dict("records")} == {
        "compound_without_gates": ["y"],
        "gate_away_from_wall": ["2"],
        "gate_without_compound": ["4"],
    }
    assert only(found, "gate_away_from_wall")[1]["distance_m"] == {"2": 20.0}


def street(*points):
    return shapely.LineString([(X + x, Y + y) for x, y in points])


def test_facilities_on_islands():
    places = table([Point(X + 10, Y + 5), Point(X + 10, Y + 305), Point(X + 10, Y + 45)], facility_id=list("abc"))
    places["category"] = "school"
    main, side = street((0, 0), (100, 0), (200, 0)), street((100, 0), (100, 100))
    lonely, near = street((0, 300), (50, 300)), street((0, 48), (50, 48))
    lines = table([main, side, lonely, near], **{"class": ["residential"] * 4})
    # c lies on a street of its own too, but the others are within 50 m
    assert only(gm.check(places, lines), "facility_on_island")[0]["ids"] == ["b"]
    # node ids say what joins, whatever the places say
    ids = [[1, 2, 3], [2, 4], [4, 9], [7, 8]]
    assert len(gm.check(places, lines.assign(node_ids=[np.array(i) for i in ids]))) == 0
    lines["node_ids"] = ["1 2 3", "2 4", "5 9", "7 8"]
    assert only(gm.check(places, lines), "facility_on_island")[0]["ids"] == ["b"]


def test_tables_of_two_crs_are_brought_together():
    units = communities(at(0, 0, 100, 100), at(100, 0, 200, 100))
    houses = buildings(at(300, 0, 310, 10), at(10, 10, 20, 20), households=[1, 1])
    alike, mixed = gm.check(units, houses), gm.check(units, houses.to_crs(4326))
    assert alike["ids"].tolist() == mixed["ids"].tolist() == [["b1"]]
    assert gm.check(houses.to_crs(4326), units).crs == 4326
    assert mixed.crs == 32650


def test_tables_are_recognised_or_refused():
    assert recognise(table([Point(0, 0)], facility_id=["a"], category=["school"])) == "facilities"
    assert recognise(table([at(0, 0, 1, 1)], grid_id=["a"], community_id=["c"])) == "grids"
    assert recognise(table([at(0, 0, 1, 1)], subdistrict=["方庄镇"])) == "subdistricts"
    with pytest.raises(OptionError, match=r"table 1 was not recognised by its columns \(foo, geometry\).*by name"):
        gm.check(table([at(0, 0, 1, 1)], foo=[1]))
    with pytest.raises(OptionError, match="two tables were taken for communities"):
        gm.check(communities(at(0, 0, 1, 1)), communities(at(0, 0, 1, 1)))
    with pytest.raises(OptionError, match="nothing to check"):
        gm.check()
    with pytest.raises(OptionError, match="houses must be a GeoDataFrame or DataFrame, not str"):
        gm.check(houses="buildings.gpkg")
    with pytest.raises(OptionError, match=r"same_share=1.5: give a share"):
        gm.check(communities(at(0, 0, 1, 1)), same_share=1.5)
    with pytest.raises(TableError, match=r"(?s)zones.*no CRS"):
        gm.check(zones=gpd.GeoDataFrame(geometry=[at(0, 0, 1, 1)]))


def test_any_polygons_under_a_name_of_ones_own():
    zones = table([at(0, 0, 110, 100), at(100, 0, 200, 100)], name=["A", "B"])
    assert only(gm.check(zones=zones), "units_overlap")[0]["ids"] == ["A", "B"]


def test_empty_and_missing_shapes_do_not_stop_the_audit():
    units = table([at(0, 0, 100, 100), None, Polygon()], community_id=["a", "b", "c"])
    found = gm.check(units, buildings(None, Point(X + 5, Y + 5), households=[1, None]), streets=None)
    assert set(found["rule"]) == {"contract"}
    assert len(gm.check(communities().set_crs(4490, allow_override=True))) == 0


def test_order_and_content_do_not_hang_on_the_run():
    units = communities(at(0, 0, 110, 100), at(100, 0, 200, 100), at(150, 50, 260, 90), at(400, 0, 410, 10))
    first, second = gm.check(units), gm.check(units.copy())
    pd.testing.assert_frame_equal(pd.DataFrame(first), pd.DataFrame(second))
    overlaps = first[first["rule"] == "units_overlap"]
    assert overlaps.area.is_monotonic_decreasing
    assert len(overlaps) == 2


@pytest.mark.parametrize("seed", range(4))
def test_narrow_is_what_no_circle_fits_in(seed):
    r = np.random.default_rng(seed)
    shapes = [shapely.MultiPoint(r.normal(size=(6, 2)) * r.uniform(0.2, 3, 2)).convex_hull for _ in range(40)]
    circle = 2 * shapely.length(shapely.maximum_inscribed_circle(np.array(shapes), tolerance=1e-4))
    sure = np.abs(circle - 1) > 0.02
    assert (narrow(shapes, 1.0) == (circle < 1))[sure].all()
    assert sure.sum() > 20


@pytest.fixture(scope="module")
def beijing(data_dir):
    return gpd.read_file(data_dir / "beijing_subdistricts" / "beijing_subdistricts_worldpop.gpkg")


def test_fengtai(beijing):
    """The 21 real sub-districts tile their district without a fault, but many lie in pieces inside one another."""
    fengtai = beijing[beijing["district"] == "丰台区"]
    found = gm.check(subdistricts=fengtai)
    assert set(found["rule"]) == {"unit_multipart", "unit_enclave"}
    assert set(found["severity"]) == {"info"}
    # in pieces: counted one by one
    several = {r.subdistrict: len(r.geometry.geoms) for r in fengtai.itertuples() if len(r.geometry.geoms) > 1}
    told = found[found["rule"] == "unit_multipart"]
    assert {r["ids"][0]: json.loads(r["certificate"])["pieces"] for r in told.to_dict("records")} == several
    # enclaves: every piece whose rim is the rim of a hole of another unit, or shares it with other pieces there
    metric = fengtai.to_crs(32650)
    holes = [
        (r.subdistrict, Polygon(ring))
        for r in metric.itertuples()
        for part in r.geometry.geoms
        for ring in part.interiors
    ]
    inside = 0.0
    for r in metric.itertuples():
        for part in r.geometry.geoms:
            around = [name for name, hole in holes if hole.buffer(0.01).contains(part) and name != r.subdistrict]
            inside += part.area if around else 0.0
    enclaves = found[found["rule"] == "unit_enclave"].to_crs(32650)
    assert enclaves.area.sum() == pytest.approx(inside, rel=1e-9)
    assert len(enclaves) == 20


def test_all_of_beijing_and_its_districts(beijing):
    districts = beijing.dissolve("district", as_index=False)[["district", "geometry"]]
    found = gm.check(beijing, districts=districts)
    assert set(found["rule"]) <= {"unit_multipart", "unit_enclave"}
    # a stranger who draws one district 300 m too far east
    moved = districts.to_crs(32650)
    shifted = moved["district"] == "丰台区"
    moved.loc[shifted, "geometry"] = moved.loc[shifted, "geometry"].translate(300)
    found = gm.check(beijing.to_crs(32650), districts=moved)
    fengtai = beijing.to_crs(32650).query("district == '丰台区'").union_all()
    out = fengtai.difference(moved.loc[shifted, "geometry"].iloc[0]).area
    told = found[(found["rule"] == "child_outside_parent") & found["ids"].str[-1].eq("丰台区")]
    assert told.area.sum() == pytest.approx(out, rel=1e-6)


@pytest.fixture(scope="module")
def las_palmas(data_dir):
    folder = data_dir / "las_palmas"
    houses = gm.read_buildings(folder / "las_palmas_20230221.osm.pbf")
    counts = pd.read_csv(folder / "households.csv").set_index("building_id")["households"]
    houses["households"] = houses["building_id"].map(counts).fillna(0.0)
    read = {name: gpd.read_file(folder / f"{name}.gpkg") for name in ("communities_ragged", "compounds", "entrances")}
    return houses, read


def test_las_palmas(las_palmas):
    houses, read = las_palmas
    units, compounds = read["communities_ragged"], read["compounds"]
    found = gm.check(units, houses, compounds, read["entrances"])
    # the fixture says: 13 of the ragged communities are in several pieces, and no footprint is cut by a wall
    assert (found["rule"] == "unit_multipart").sum() == 13
    assert not found["rule"].isin(["units_overlap", "units_gap", "units_sliver", "compound_without_gates"]).any()
    assert not found["rule"].isin(["gate_away_from_wall", "gate_without_compound"]).any()
    # buildings outside: those without a row in the households table, which covers the municipality
    outside = found[(found["rule"] == "outside_units") & (found["status"] == "buildings")].iloc[0]
    shapes = houses.to_crs(units.crs).geometry
    held = shapely.intersects(shapely.union_all(np.array(units.geometry)), shapely.point_on_surface(np.array(shapes)))
    assert sorted(outside["ids"]) == sorted(houses["building_id"][~held])
    # a building upon another: by overlay of all with all
    first, second = shapely.STRtree(np.array(shapes)).query(np.array(shapes), predicate="overlaps")
    within = shapely.STRtree(np.array(shapes)).query(np.array(shapes), predicate="covers")
    first, second = np.r_[first, within[0]], np.r_[second, within[1]]
    first, second = first[first != second], second[first != second]
    shapes = np.array(shapes)
    shared = shapely.area(shapely.intersection(shapes[first], shapes[second]))
    much = shared >= 0.5 * np.minimum(shapely.area(shapes[first]), shapely.area(shapes[second]))
    upon = set(houses["building_id"].iloc[np.unique(np.r_[first[much], second[much]])])
    told = found[found["rule"].isin(["building_stacked", "building_double"])]
    assert set().union(*told["ids"]) == upon
    # every finding can be said in Chinese without a dash
    chinese = told_findings(found, "zh", {})
    assert not chinese["message"].str.contains("–").any()
