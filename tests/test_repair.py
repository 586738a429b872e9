"""Repairs: what is safe is mended, what is not stays, and the log gives the original back to the last bit."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import example, given, settings
from hypothesis import strategies as st
from shapely import MultiPolygon, Point, Polygon, box
from test_check import QUARTERS, X, Y, at, buildings, communities, rules, table

import gridmap as gm
from gridmap.errors import OptionError, TableError
from gridmap.tables.crs import metric_crs
from gridmap.tables.repair.log import LOG_COLUMNS, as_text, from_text
from gridmap.tables.rings import mend_rings

MENDED = ("units_sliver", "borders_unmatched", "vertices_repeated")


def wkb(frame) -> list[bytes]:
    return shapely.to_wkb(np.array(frame.geometry)).tolist()


def assert_undone(before, after, log) -> None:
    """The log leads back to the original, also when it was kept in a file."""
    for own in (log, log.astype(str)):
        back = gm.undo_repair(after, own)
        assert wkb(back) == wkb(before)
        pd.testing.assert_frame_equal(
            pd.DataFrame(back.drop(columns="geometry")), pd.DataFrame(before.drop(columns="geometry"))
        )
        assert back.columns.tolist() == before.columns.tolist()
        assert back.crs == before.crs


def repaired(frame, **options):
    """The repaired table and its log, after what must always hold was checked."""
    original = wkb(frame)
    after, log = gm.repair(frame, **options)
    assert wkb(frame) == original
    assert log.columns.tolist() == list(LOG_COLUMNS)
    assert_undone(frame, after, log)
    again, nothing = gm.repair(after, **options)
    assert len(nothing) == 0
    assert wkb(again) == wkb(after)
    return after, log


def test_a_sound_table_stays_as_it_is():
    after, log = repaired(communities(*QUARTERS))
    assert wkb(after) == wkb(communities(*QUARTERS))
    assert len(log) == 0


def test_an_overlap_goes_to_the_owner_with_the_longer_border_along_it():
    # the strip of 0.5 m is a's own for 100 m on its left; on its right b follows for 60 m only
    units = communities(at(0, 0, 100.5, 100), at(100, 0, 200, 60))
    after, log = repaired(units)
    assert after.area.tolist() == [10_050.0, 5970.0]
    assert after.geometry[0].equals(units.geometry[0])
    assert log.loc[log["id"] == "c2", ["rule", "area_change_m2"]].to_numpy().tolist() == [["units_sliver", -30.0]]


def test_a_gap_goes_to_the_neighbour_with_the_longest_border_the_first_of_two():
    frame = [at(0, 0, 100, 99), at(100.5, 0, 200, 99), at(0, 99, 200, 120), at(0, -20, 200, 0)]
    after, log = repaired(communities(*frame))
    assert after.area.tolist() == pytest.approx([9900 + 49.5, 9850.5, 4200, 4000])
    assert log["area_change_m2"].sum() == pytest.approx(49.5)
    assert log.attrs["area_change_m2"] == pytest.approx(49.5)
    assert rules(gm.check(after)) == []


def test_a_crack_open_to_the_outside_is_closed_too():
    after, _ = repaired(communities(at(0, 0, 100, 100), at(100.6, 0, 200, 100)))
    assert after.area.sum() == pytest.approx(20_000)
    assert rules(gm.check(after)) == []


@pytest.mark.parametrize(
    "shapes",
    [
        (at(0, 0, 102, 100), at(100, 0, 200, 100)),  # two owners of 2 m
        (at(0, 0, 200, 50), at(0, 150, 200, 200), at(0, 50, 50, 150), at(150, 50, 200, 150)),  # a hole of 100 m
        (at(0, 0, 100, 100), at(102, 0, 200, 100)),  # a lane of 2 m, open at both ends
        (at(0, 0, 100, 100), at(0, 0, 100, 100)),  # the same unit twice
        (at(0, 0, 100, 100), at(20, 20, 50, 50)),  # one within the other, both drawn full
    ],
)
def test_what_takes_a_decision_is_left(shapes):
    units = communities(*shapes)
    after, log = repaired(units)
    # where the borders of two meet both may get a vertex, but nobody's land changes
    assert after.geom_equals(units).all()
    assert set(log["rule"]) <= {"borders_unmatched"}
    grave = [found for found in rules(gm.check(units)) if found[0] != "borders_unmatched"]
    assert rules(gm.check(after)) == grave


def test_a_wider_sliver_is_mended_when_asked():
    units = communities(at(0, 0, 102, 100), at(100, 0, 200, 100))
    after, _ = repaired(units, sliver_width=2.5)
    assert after.area.sum() == pytest.approx(20_000)


def test_a_vertex_of_the_neighbour_is_put_on_the_border_and_no_other():
    units = communities(at(0, 0, 100, 50), at(0, 50, 40, 100), at(40, 50, 100, 100))
    after, log = repaired(units)
    assert log[["rule", "id", "area_change_m2"]].to_numpy().tolist() == [["borders_unmatched", "c1", 0.0]]
    assert shapely.get_num_coordinates(np.array(after.geometry)).tolist() == [6, 5, 5]
    assert shapely.intersects_xy(shapely.extract_unique_points(after.geometry[0]), X + 40, Y + 50)
    assert wkb(after)[1:] == wkb(units)[1:]


def test_compounds_are_not_pulled_together():
    walls = table([at(0, 0, 50, 50), at(50.5, 0, 90, 50), at(89.7, 0, 120, 50)], compound_id=list("xyz"))
    after, _ = repaired(walls)
    assert after.geometry[0].distance(after.geometry[1]) == 0.5
    assert after.geometry[1].intersection(after.geometry[2]).area == 0


def test_a_unit_that_is_itself_a_sliver_does_not_vanish():
    units = communities(at(0, 0, 100, 100), at(40, 20, 40.5, 80), at(100, 0, 200, 100))
    after, _ = repaired(units)
    assert after.area[1] == pytest.approx(30)


def test_a_crumb_that_loses_its_link_goes_along():
    # b's spur of 0.5 m runs 50 m up between a and c, the first 20 m of it overlap a
    spur = shapely.union_all([at(100, 0, 200, 50), at(100, 50, 100.5, 100)])
    units = communities(at(0, 0, 100, 110), spur, at(100.5, 50, 200, 110), at(80, 48, 110, 70))
    after, _ = gm.repair(units)
    assert (shapely.get_num_geometries(np.array(after.geometry)) == 1).all()


def test_coordinates_of_what_was_sound_are_kept_to_the_last_bit():
    units = communities(at(0, 0, 100.3, 100), at(100, 0, 200, 100)).to_crs(4490)
    after, _ = repaired(units)
    strip = gpd.GeoSeries([at(99, -1, 101, 101)], crs=32650).to_crs(4490)[0]
    for now, was in zip(after.geometry, units.geometry, strict=True):
        away = [tuple(xy) for xy in shapely.get_coordinates(was) if not strip.contains(Point(xy))]
        assert len(away) >= 2
        assert set(away) == {tuple(xy) for xy in shapely.get_coordinates(now) if not strip.contains(Point(xy))}


@pytest.mark.parametrize(
    ("points", "area"),
    [
        ([(0, 0), (10, 10), (10, 0), (0, 10)], 50),  # a bow-tie: two triangles of 25 m²
        ([(0, 0), (10, 0), (10, 10), (15, 10), (10, 10), (0, 10)], 100),  # a spike
        ([(0, 0), (10, 0), (10, 10), (5, 0), (0, 10)], 50),  # a vertex on the line: two triangles again
    ],
)
def test_rings_with_one_meaning_are_mended(points, area):
    drawn = communities(Polygon([(X + x, Y + y) for x, y in points]), at(50, 0, 60, 10))
    after, log = repaired(drawn)
    assert after.geometry.is_valid.all()
    assert after.area.tolist() == pytest.approx([area, 100])
    assert log["rule"].tolist()[0] == "ring_invalid"
    assert log["area_change_m2"].abs().max() < 1e-6


def test_rings_with_two_meanings_are_left():
    loop = [(50, 0), (90, 0), (90, 40), (60, 40), (60, 10), (80, 10), (80, 50), (50, 50)]
    outside = Polygon(at(0, 0, 10, 10).exterior, [at(20, 0, 30, 10).exterior])
    drawn = communities(Polygon([(X + x, Y + y) for x, y in loop]), outside)
    after, log = repaired(drawn)
    assert wkb(after) == wkb(drawn)
    assert len(log) == 0
    assert [s for r, s in rules(gm.check(after)) if r == "ring_invalid"] == ["ambiguous", "ambiguous"]


def test_pieces_and_holes_drawn_twice_are_dropped():
    holed = Polygon(at(0, 0, 50, 50).exterior, [at(10, 10, 20, 20).exterior, at(10, 10, 20, 20).exterior])
    double = MultiPolygon([at(60, 0, 70, 10), shapely.reverse(at(60, 0, 70, 10)), at(80, 0, 90, 10)])
    mended = mend_rings(np.array([holed, double], dtype=object))
    assert shapely.area(mended).tolist() == [2400, 200]
    assert shapely.get_num_geometries(mended).tolist() == [1, 2]


def test_repeated_vertices_go():
    line = Polygon([(X, Y), (X, Y), (X + 10, Y), (X + 10, Y + 10), (X, Y + 10)])
    after, log = repaired(buildings(line, Point(X + 50, Y)))
    assert shapely.get_num_coordinates(np.array(after.geometry)).tolist() == [5, 1]
    assert log["what"].tolist() == ["1 vertex repeated the one before it"]


def doubled(**columns) -> gpd.GeoDataFrame:
    house = at(0, 0, 20, 10)
    return buildings(house, at(50, 0, 60, 10), shapely.reverse(house), **columns)


def test_the_same_building_twice_is_kept_once_and_nothing_known_is_lost():
    houses = doubled(households=[None, 7.0, 24.0], name=["3号楼", "x", None], floors=[6, 2, 6])
    after, log = repaired(houses)
    assert after[["building_id", "households", "name", "floors"]].to_numpy().tolist() == [
        ["b1", 24.0, "3号楼", 6],
        ["b2", 7.0, "x", 2],
    ]
    assert log["rule"].tolist() == ["cell_filled", "row_removed"]
    assert after["households"].sum() == houses["households"].sum()
    assert log.attrs["households_change"] == 0
    assert after.index.tolist() == [0, 1]


def test_a_count_that_stood_twice_is_stated():
    _, log = repaired(doubled(households=[24, 7, 24]))
    assert log.attrs["households_change"] == -24


@pytest.mark.parametrize(
    "columns",
    [
        {"households": [24, 7, 25]},
        {"households": [24, 7, 24], "name": ["1单元", "x", "2单元"]},
        {"households": [None, 7, 24], "floors": [6, 2, 7]},
    ],
)
def test_buildings_that_differ_stay(columns):
    houses = doubled(**columns)
    after, log = repaired(houses)
    assert len(after) == 3
    assert len(log) == 0


def test_points_at_one_place_stay():
    after, log = repaired(buildings(Point(X, Y), Point(X, Y), households=[5, 5]))
    assert (len(after), len(log)) == (2, 0)


def test_removed_rows_come_back_with_every_type_of_cell():
    houses = doubled(
        households=pd.array([24, 7, 24], dtype="Int64"), kind=pd.Categorical(["a", "b", "a"]),
        built=pd.to_datetime(["2001-05-06", "1999-01-01", "2001-05-06"]), public=[True, False, True],
        nodes=[np.array([1, 2]), None, np.array([1, 2])],
    )  # fmt: skip
    houses.index = pd.Index(["x", "y", "z"], name="key")
    after, log = repaired(houses)
    assert after.index.tolist() == ["x", "y"]
    assert len(log) == 1


@given(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False) | st.text()
    | st.lists(st.integers(), max_size=3) | st.dictionaries(st.text(), st.integers(), max_size=3)
)  # fmt: skip
def test_cells_survive_as_text(value):
    back = from_text(as_text(value))
    assert back == value
    assert type(back) is type(value)


def test_undo_refuses_a_log_of_another_table():
    units = communities(at(0, 0, 100.5, 100), at(100, 0, 200, 100))
    after, log = gm.repair(units)
    with pytest.raises(OptionError, match="is not as repair left it"):
        gm.undo_repair(units, log)
    with pytest.raises(OptionError, match="the log"):
        gm.undo_repair(after.iloc[:0], log)
    short, removed = gm.repair(doubled(households=[24, 7, 24]))
    with pytest.raises(OptionError, match="other columns or length"):
        gm.undo_repair(short.drop(columns="households"), removed)


def test_what_cannot_be_repaired_is_refused_with_the_remedy():
    with pytest.raises(OptionError, match="only a GeoDataFrame can be repaired, not DataFrame"):
        gm.repair(pd.DataFrame({"building_id": ["a"]}))
    with pytest.raises(OptionError, match=r"sliver_width=0"):
        gm.repair(communities(at(0, 0, 1, 1)), sliver_width=0)
    with pytest.raises(TableError, match="no CRS"):
        gm.repair(gpd.GeoDataFrame({"grid_id": ["a"]}, geometry=[box(0, 0, 1, 1)]))
    with pytest.raises(OptionError, match="not recognised"):
        gm.repair(table([at(0, 0, 1, 1)], foo=[1]))
    assert len(gm.repair(table([at(0, 0, 1, 1)], foo=[1]), name="zones")[1]) == 0


def tiles(seed, size, crs) -> gpd.GeoDataFrame:
    """Voronoi cells of a square kilometre, each drawn on its own: moved by up to `size` m, one in three simplified."""
    r = np.random.default_rng(seed)
    points = shapely.multipoints(r.uniform(0, 1000, (15, 2)))
    cells = shapely.get_parts(shapely.voronoi_polygons(points, extend_to=box(0, 0, 1000, 1000)))
    cells = shapely.intersection(cells, box(0, 0, 1000, 1000))
    wavy = [shapely.segmentize(c, 40) for c in cells]
    bend = [shapely.transform(c, lambda xy: xy + 8 * np.sin(xy[:, ::-1] / 60) + (X, Y)) for c in wavy]
    drawn = [
        shapely.transform(shapely.simplify(c, size / 2) if i % 3 == 0 else c, lambda xy: xy + r.uniform(-size, size, 2))
        for i, c in enumerate(bend)
    ]
    return communities(*drawn).to_crs(crs)


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0.001, 0.02, 0.2]), st.sampled_from([32650, 4490]))
@example(57, 0.2, 32650)  # the rim leads from the mouth of one crack straight to that of the next
@example(28, 0.001, 4490)  # a crossing that GEOS misses among 64-bit numbers
@example(168, 0.001, 32650)  # a needle as thin as the grid
@example(122, 0.2, 32650)  # slivers on both sides of an acute corner
def test_units_drawn_one_by_one_become_a_tiling(seed, size, crs):
    units = tiles(seed, size, crs)
    after, log = repaired(units)
    left = gm.check(after)
    assert not left["rule"].isin(MENDED).any(), left["message"].tolist()
    metric, was = (frame.to_crs(metric_crs(units)) for frame in (after, units))
    assert shapely.coverage_is_valid(np.array(after.geometry))
    # no border moved farther than the slivers are wide, and none of the area is lost or made up
    assert shapely.hausdorff_distance(np.array(metric.geometry), np.array(was.geometry)).max() < 1
    change = metric.area.sum() - was.area.sum()
    assert log["area_change_m2"].sum() == pytest.approx(change, abs=1e-5)
    assert metric.union_all().area == pytest.approx(metric.area.sum(), abs=1e-4)


@pytest.fixture(scope="module")
def beijing(data_dir):
    return gpd.read_file(data_dir / "beijing_subdistricts" / "beijing_subdistricts_worldpop.gpkg")


@pytest.mark.parametrize("district", ["丰台区", pytest.param(None, marks=pytest.mark.full)])
def test_sub_districts_of_beijing(beijing, district):
    """The real sub-districts are sound and stay; each moved by itself by up to 0.2 m they are mended."""
    units = beijing if district is None else beijing[beijing["district"] == district]
    assert len(gm.repair(units)[1]) == 0
    r = np.random.default_rng(4)
    moved = [shapely.transform(s, lambda xy: xy + r.uniform(-2e-6, 2e-6, 2)) for s in units.geometry]
    drawn = units.set_geometry(gpd.GeoSeries(moved, index=units.index, crs=units.crs))
    found = gm.check(drawn)
    assert (found["rule"] == "units_sliver").sum() > len(units)
    after, log = repaired(drawn)
    assert not gm.check(after)["rule"].isin((*MENDED, "units_overlap", "units_gap")).any()
    # overlaps were counted twice, gaps not at all: the change is what the gaps gained less what the overlaps had
    metric, was = after.to_crs(32650), drawn.to_crs(32650)
    assert log.attrs["area_change_m2"] == pytest.approx(metric.area.sum() - was.area.sum(), abs=0.01)
    assert metric.area.sum() == pytest.approx(metric.union_all().area, rel=1e-12)
    # what changed is slivers alone: nowhere wider than one
    changed = shapely.symmetric_difference(np.array(metric.geometry), np.array(was.geometry))
    assert shapely.is_empty(shapely.buffer(changed, -0.5)).all()
