"""Totals of zones over buildings: conserved to the last household, the same in any order, and what is lost is told."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import Point, Polygon, box

from gridmap.errors import OptionError, TableError
from gridmap.io.read.readers import read_buildings, read_communities, read_plain_table
from gridmap.maps.finding_words import told_findings
from gridmap.tables.households.error import household_error
from gridmap.tables.households.estimate import estimate_households
from gridmap.tables.largest_remainder import largest_remainder

CRS = 32650
X, Y = 500_000.0, 4_400_000.0


def houses(areas, *, gap=100.0, **columns) -> gpd.GeoDataFrame:
    """Houses 10 m deep in a row from west to east, one each `gap` metres."""
    shapes = [box(X + gap * i, Y, X + gap * i + area / 10, Y + 10) for i, area in enumerate(areas)]
    data = {"building_id": [f"b{i}" for i in range(len(areas))], **columns}
    return gpd.GeoDataFrame(data, geometry=shapes, crs=CRS)


def strips(edges, **columns) -> gpd.GeoDataFrame:
    """Zones side by side between the edges (metres east of the first house)."""
    shapes = [box(X + a, Y - 50, X + b, Y + 50) for a, b in pairwise(edges)]
    return gpd.GeoDataFrame({"zone_id": [f"z{i}" for i in range(len(shapes))], **columns}, geometry=shapes, crs=CRS)


def told(done):
    return done.attrs["assumptions"]["zones"]


def test_totals_go_by_floor_area():
    # 330 and 110 m2 of 3 floors make 9 and 3 households; the second zone has one house of 2 floors and one of 6
    table = houses([330, 110, 220, 220], floors=[3, 3, 2, 6])
    done = estimate_households(table, zones=strips([-10, 190, 390], households=[40, 100]))
    assert done["households"].tolist() == [30, 10, 25, 75]
    assert done["households_estimated"].all()
    assert (told(done)["total"], told(done)["spread"]) == (140, 140)


def test_known_households_are_kept_and_taken_off_the_total():
    table = houses([330, 330, 330], households=[12, np.nan, np.nan])
    done = estimate_households(table, zones=strips([-10, 300], households=[20]))
    assert done["households"].tolist() == [12, 4, 4]
    assert done["households_estimated"].tolist() == [False, True, True]
    assert told(done)["known"] == 12
    again = estimate_households(table, zones=strips([-10, 300], households=[20]), overwrite=True)
    assert again["households"].tolist() == [7, 7, 6]
    over = estimate_households(table, zones=strips([-10, 300], households=[10]))
    assert over["households"].tolist() == [12, 0, 0]
    assert told(over)["known_above_total"] == {"count": 1, "households": 2, "ids": {"z0": 2}}


def test_what_cannot_be_spread_is_told():
    table = houses([330, 330, 330], use=["school", None, None])
    zones = strips([-10, 90, 190], households=[7, 5])
    done = estimate_households(table, zones=zones)
    # the last house lies in no zone and keeps the plain estimate, 330 m2 x 3 floors / 110 m2
    assert done["households"].tolist() == [0, 5, 9]
    assert told(done)["without_floor_area"] == {"count": 1, "households": 7, "ids": {"z0": 7}}
    assert told(done)["buildings_in_no_zone"] == {"count": 1, "ids": ["b2"]}
    unknown = estimate_households(table, zones=strips([-10, 90, 190], households=[7, np.nan]))
    assert unknown["households"].tolist() == [0, 9, 9]
    assert told(unknown)["without_total"] == {"count": 1, "ids": ["z1"]}


def test_residents_need_a_stated_household_size():
    table = houses([330, 330])
    zones = strips([-10, 90, 190], residents=[25, 26])
    with pytest.raises(OptionError, match="persons_per_household="):
        estimate_households(table, zones=zones)
    done = estimate_households(table, zones=zones, persons_per_household=2.5)
    # 10 and 10.4
    assert done["households"].tolist() == [10, 10]
    assert done.attrs["assumptions"]["persons_per_household"] == 2.5
    # whole households come from the largest remainder: 10.5 and 10.1 are 21 in all
    done = estimate_households(table, zones=zones.assign(residents=[25.25, 26.25]), persons_per_household=2.5)
    assert done["households"].tolist() == [10, 11]
    with pytest.raises(OptionError, match="persons_per_household=0"):
        estimate_households(table, zones=zones, persons_per_household=0)


def test_zones_that_cannot_be_used_are_refused():
    table = houses([330])
    good = strips([-10, 90], households=[5])
    with pytest.raises(OptionError, match="'households' or 'residents'; the columns are: zone_id, pop"):
        estimate_households(table, zones=good.rename(columns={"households": "pop"}))
    with pytest.raises(OptionError, match="zones= or cells=, not both"):
        estimate_households(table, zones=good, cells=good)
    with pytest.raises(TableError, match="households = -5"):
        estimate_households(table, zones=good.assign(households=-5))
    twice = pd.concat([good, good], ignore_index=True)
    with pytest.raises(TableError, match="an id that no other row has"):
        estimate_households(table, zones=twice)
    bow = Polygon([(X, Y), (X + 9, Y + 9), (X + 9, Y), (X, Y + 9)])
    with pytest.raises(TableError, match="Self-intersection"):
        estimate_households(table, zones=good.set_geometry([bow]))
    with pytest.raises(TableError, match="no CRS"):
        estimate_households(table, zones=good.set_crs(None, allow_override=True))


def test_zones_are_called_by_their_ids_or_their_index():
    table = houses([330], use="school")
    zones = strips([-10, 90], households=[5])
    by_community = zones.rename(columns={"zone_id": "community_id"}).assign(community_id="0051")
    assert told(estimate_households(table, zones=by_community))["without_floor_area"]["ids"] == {"0051": 5}
    by_index = zones.drop(columns="zone_id").set_index(pd.Index([7]))
    assert told(estimate_households(table, zones=by_index))["without_floor_area"]["ids"] == {"7": 5}


def test_zones_in_another_crs_are_moved():
    table = houses([330, 110])
    zones = strips([-10, 90, 190], households=[5, 6])
    assert estimate_households(table, zones=zones.to_crs(4326))["households"].tolist() == [5, 6]
    done = estimate_households(table.to_crs(4326), zones=zones)
    assert done["households"].tolist() == [5, 6]
    assert done.crs == 4326


def test_a_building_over_two_cells_is_shared_and_over_two_zones_is_not():
    # 40 m long: a quarter of it in the first zone, and its point on surface in the second
    table = houses([400])
    halves = strips([-10, 10, 90], households=[8, 4])
    cells = estimate_households(table, cells=halves)
    assert cells["households"].tolist() == [12]
    assert told(cells)["without_floor_area"]["count"] == 0
    zones = estimate_households(table, zones=halves)
    assert zones["households"].tolist() == [4]
    assert told(zones)["without_floor_area"] == {"count": 1, "households": 8, "ids": {"z0": 8}}
    # known households of such a building are taken off each cell by its share: 8 x 1/4 and 8 x 3/4
    two = houses([400, 100], gap=50, households=[8, np.nan])
    assert estimate_households(two, cells=halves)["households"].tolist() == [8, 0]
    assert told(estimate_households(two, cells=halves))["known_above_total"]["ids"] == {"z1": 2}


def test_points_are_spread_to_as_well():
    points = gpd.GeoDataFrame(
        {"building_id": ["a", "b", "c"], "floors": [6, 3, None]},
        geometry=[Point(X, Y), Point(X + 10, Y), Point(X + 20, Y)],
        crs=CRS,
    )
    zones = strips([-10, 30], households=[9])
    for how in ("zones", "cells"):
        assert estimate_households(points, **{how: zones})["households"].tolist() == [6, 3, 0]
    # a point on the border of two zones is in one of them
    border = strips([-10, 10, 30], households=[9, 0])
    for how in ("zones", "cells"):
        assert estimate_households(points, **{how: border})["households"].sum() == 9


def points(count, **columns) -> gpd.GeoDataFrame:
    """Buildings as a list has them: points, one each metre from west to east."""
    data = {"building_id": [f"p{i:02}" for i in range(count)], **columns}
    return gpd.GeoDataFrame(data, geometry=[Point(X + i, Y) for i in range(count)], crs=CRS)


def rules(done):
    return dict(zip(done.attrs["findings"]["rule"], done.attrs["findings"]["ids"], strict=True))


def test_points_that_nothing_is_known_of_share_alike():
    zones = strips([-10, 60], households=[50])
    for how in ("zones", "cells"):
        one = estimate_households(points(1), **{how: zones})
        assert one["households"].tolist() == [50]
        assert rules(one) == {"zone_shared_alike": ["z0"]}
        # whole households, and none for the school
        four = estimate_households(points(4, use=[None, "school", "住宅", None]), **{how: zones})
        assert four["households"].tolist() == [17, 0, 17, 16]
        assert told(four)["shared_by"] == {"floor_area": 0, "dwellings": 0, "floors": 0, "alike": 1}
        assert told(four)["without_floor_area"]["count"] == 0
        assert four.attrs["assumptions"]["unknown_points"]["count"] == 0
        # known ones are taken off, and what is left goes to the others
        known = estimate_households(points(3, households=[20, np.nan, np.nan]), **{how: zones})
        assert known["households"].tolist() == [20, 15, 15]


def test_points_share_by_the_best_that_is_known():
    zones = strips([-10, 60], households=[60])
    by_dwellings = estimate_households(points(2, dwellings=[10, 20]), zones=zones)
    assert by_dwellings["households"].tolist() == [20, 40]
    assert told(by_dwellings)["shared_by"]["dwellings"] == 1
    by_floors = estimate_households(points(2, floors=[1, 2]), zones=zones)
    assert by_floors["households"].tolist() == [20, 40]
    assert told(by_floors)["shared_by"]["floors"] == 1
    by_area = estimate_households(houses([330, 660], gap=20), zones=zones)
    assert by_area["households"].tolist() == [20, 40]
    assert told(by_area)["shared_by"]["floor_area"] == 1


def test_small_footprints_are_lived_in_where_there_is_nothing_else():
    zones = strips([-10, 60], households=[6])
    assert estimate_households(houses([20, 10], gap=20), zones=zones)["households"].tolist() == [3, 3]
    assert estimate_households(houses([20, 110], gap=20), zones=zones)["households"].tolist() == [0, 6]


def test_what_cannot_be_placed_is_a_finding_in_both_languages():
    table = houses([330, 330, 330], use=["school", None, None], households=[np.nan, 9, np.nan])
    table = pd.concat([table, points(1).assign(geometry=[Point(X + 500, Y)])], ignore_index=True)
    done = estimate_households(table, zones=strips([-10, 90, 190], households=[7, 5]))
    assert rules(done) == {
        "zone_without_homes": ["z0"],
        "zone_known_above_total": ["z1"],
        "building_in_no_zone": ["b2", "p00"],
        "point_of_unknown_size": ["p00"],
    }
    assert "7 households of theirs are in no building" in done.attrs["findings"]["message"][0]
    chinese = told_findings(done.attrs["findings"], "zh", {})["message"]
    assert chinese[0] == "1 个统计区内没有可居住的建筑，7 户未能落到建筑：z0。"
    # findings that the buildings had stay above
    again = estimate_households(done, zones=strips([-10, 90], households=[np.nan]), overwrite=True)
    assert again.attrs["findings"]["rule"].tolist()[:4] == list(rules(done))
    assert rules(again)["zone_without_total"] == ["z0"]


def test_zones_that_hold_the_same_land_twice_are_named():
    twice = strips([-10, 190], households=[50])
    twice = pd.concat([twice, twice.assign(zone_id="again")], ignore_index=True)
    done = estimate_households(houses([330, 330]), zones=twice)
    # the first by id has the buildings
    assert done["households"].sum() == 50
    assert told(done)["without_floor_area"]["count"] == 0
    assert told(done)["overlapping"]["ids"] == {"z0": 50}
    assert told(done)["overlapping"]["pairs"] == [("again", "z0", 200 * 100)]
    row = done.attrs["findings"].iloc[0]
    assert (row["severity"], row["rule"], row["ids"]) == ("error", "zones_overlap", ["again", "z0"])
    assert "again and z0 by 20,000 m²" in row["message"]
    assert "50 households are in no building" in row["message"]
    # a border drawn twice is none, and zones side by side are not
    near = strips([-10, 90, 190], households=[5, 5])
    near["geometry"] = near.buffer(0.01)
    assert rules(estimate_households(houses([330, 330]), zones=near)) == {}


def largest_remainder_slowly(weights, total):
    """Hamilton's method with fractions: whole parts, then one each to the largest remainders, the first first."""
    shares = [Fraction(w) * total / sum(weights) for w in weights]
    out = [int(s) for s in shares]
    for i in sorted(range(len(shares)), key=lambda i: (-(shares[i] - out[i]), i))[: total - sum(out)]:
        out[i] += 1
    return out


@settings(max_examples=150, deadline=None)
@given(
    groups=st.lists(st.tuples(st.lists(st.integers(1, 60), min_size=1, max_size=7), st.integers(0, 500)), max_size=5)
)
def test_largest_remainder_is_hamiltons(groups):
    weight = np.array([w for ws, _ in groups for w in ws], dtype=float)
    group = np.repeat(np.arange(len(groups)), [len(ws) for ws, _ in groups])
    got = largest_remainder(weight, group.astype(np.int64), np.array([t for _, t in groups], dtype=np.int64))
    want = [n for ws, total in groups for n in largest_remainder_slowly(ws, total)]
    assert got.tolist() == want


@st.composite
def towns(draw):
    count = draw(st.integers(1, 12))
    areas = draw(st.lists(st.floats(30, 900), min_size=count, max_size=count))
    uses = draw(st.lists(st.sampled_from([None, "apartments", "school", "house"]), min_size=count, max_size=count))
    known = draw(st.lists(st.sampled_from([np.nan, np.nan, 0.0, 3.0, 11.0]), min_size=count, max_size=count))
    inner = sorted(set(draw(st.lists(st.integers(0, 1100), max_size=5))))
    edges = [-20, *inner, draw(st.integers(1201, 1300))]
    totals = draw(st.lists(st.integers(0, 400), min_size=len(edges) - 1, max_size=len(edges) - 1))
    return houses(areas, use=uses, households=known), strips(edges, households=totals)


@settings(max_examples=50, deadline=None)
@given(town=towns(), how=st.sampled_from(["zones", "cells"]), order=st.randoms(use_true_random=False))
def test_every_household_of_every_zone_is_somewhere(town, how, order):
    table, zones = town
    done = estimate_households(table, **{how: zones})
    got = told(done)
    new = done["households_estimated"].to_numpy()
    assert (done["households"] >= 0).all()
    assert (done["households"][new] == np.floor(done["households"][new])).all()
    # spread + known + lost is the total, but for what known buildings hold above it
    assert done["households"][new].sum() == got["spread"]
    rest = got["total"] - got["known"]
    assert abs(got["spread"] + got["without_floor_area"]["households"] - rest) <= (0.51 if how == "cells" else 1e-9)
    # the same rows in another order give the same households
    rows, areas = list(range(len(table))), list(range(len(zones)))
    order.shuffle(rows)
    order.shuffle(areas)
    again = estimate_households(table.iloc[rows], **{how: zones.iloc[areas]})
    assert (
        again.set_index("building_id")["households"].reindex(done["building_id"]).tolist()
        == done["households"].tolist()
    )
    if how == "zones":
        spot = done.geometry.representative_point()
        for _, zone in zones.iterrows():
            inside = spot.within(zone.geometry)
            held, free = done["households"][inside], new[inside.to_numpy()]
            if (held[free] > 0).any():
                known = held[~free].sum()
                assert held.sum() == max(zone["households"], known)


# ---- floors ----------------------------------------------------------------------------------------------------------


def test_floors_are_inferred_only_when_told_to():
    table = houses([110] * 5, gap=20, floors=[6, 8, 7, None, None], height=[None, None, None, 30, None])
    plain = estimate_households(table)
    assert plain["households"].tolist() == [6, 8, 7, 3, 3]
    assert plain.attrs["assumptions"]["floors"] == {"stated": 3, "unknown": 2}
    by_height = estimate_households(table, infer_floors="height")
    assert by_height["households"].tolist() == [6, 8, 7, 10, 3]
    assert by_height.attrs["assumptions"]["floors"] == {"stated": 3, "height": 1, "unknown": 1}
    both = estimate_households(table, infer_floors=("height", "neighbours"))
    # the median of the stated floors, not of the inferred ones
    assert both["households"].tolist() == [6, 8, 7, 10, 7]
    assert both.attrs["assumptions"]["floors"] == {"stated": 3, "height": 1, "neighbours": 1, "unknown": 0}
    with pytest.raises(OptionError, match="'age' is no way to infer floors"):
        estimate_households(table, infer_floors="age")


def test_neighbours_too_few_or_too_far_say_nothing():
    few = houses([110] * 3, gap=20, floors=[6, 8, None])
    assert estimate_households(few, infer_floors="neighbours")["households"].tolist() == [6, 8, 3]
    far = houses([110] * 4, gap=60, floors=[6, 8, 9, None])
    assert estimate_households(far, infer_floors="neighbours")["households"].tolist() == [6, 8, 9, 3]
    none = estimate_households(few.drop(columns="floors"), infer_floors=("height", "neighbours"))
    assert none["households"].tolist() == [3, 3, 3]


# ---- errors ----------------------------------------------------------------------------------------------------------


def test_error_by_hand():
    # estimates are 3, 6 and 9 households
    table = houses([110, 220, 330], households=[3, 9, 8])
    measured = household_error(table, folds=3)
    assert measured.loc["all"].tolist() == [
        3,
        20,
        18,
        pytest.approx(4 / 3),
        pytest.approx(-2 / 3),
        pytest.approx(2 / 3),
    ]
    assert measured.index.tolist() == ["all", "1-9"]
    # all hidden, and the total of the zone known: 20 x 1/6, 2/6, 3/6 are 3, 7, 10
    zoned = household_error(table, folds=1, zones=strips([-10, 300], households=[20]))
    assert zoned.loc["all", ["estimated", "mae", "bias"]].tolist() == [20, pytest.approx(4 / 3), 0]
    with pytest.raises(OptionError, match="3 buildings have households"):
        household_error(table, folds=4)
    with pytest.raises(OptionError, match="overwrite"):
        household_error(table, overwrite=True)


def test_error_with_one_left_out_is_nothing_when_the_zone_tells():
    table = houses([110, 220, 330], households=[3, 9, 8])
    # two known, and the total of the three: the third follows
    measured = household_error(table, folds=3, zones=strips([-10, 300], households=[20]))
    assert measured.loc["all", ["mae", "within_20"]].tolist() == [0, 1]


def test_error_is_the_same_in_any_order():
    rng = np.random.default_rng(3)
    table = houses(rng.uniform(50, 900, 60), households=rng.integers(1, 40, 60))
    zones = strips([-10, 2000, 4000, 6100], households=[500, 600, 400])
    one = household_error(table, zones=zones, seed=4)
    pd.testing.assert_frame_equal(one, household_error(table.sample(frac=1, random_state=1), zones=zones, seed=4))
    assert not one.equals(household_error(table, zones=zones, seed=5))


# ---- real places -----------------------------------------------------------------------------------------------------


def test_las_palmas_from_its_communities_and_back(data_dir):
    """Households of the fixture (themselves estimates) summed by community, spread over the buildings, compared."""
    folder = data_dir / "las_palmas"
    counts = read_plain_table("households", folder / "households.csv")
    table = read_buildings(folder / "las_palmas_20230221.osm.pbf").to_crs(32628).merge(counts, on="building_id")
    communities = read_communities(folder / "communities_2000.gpkg")
    spot = table[["building_id", "households"]].set_geometry(table.geometry.representative_point())
    joined = spot.sjoin(communities[["community_id", "geometry"]], predicate="intersects").drop_duplicates(
        "building_id"
    )
    totals = joined.groupby("community_id")["households"].sum()
    census = communities.assign(households=communities["community_id"].map(totals).fillna(0))
    assert census["households"].sum() == 128_421
    done = estimate_households(table.drop(columns="households"), zones=census)
    assert told(done)["spread"] == 128_421
    where = done.set_index("building_id")["households"].groupby(joined.set_index("building_id")["community_id"]).sum()
    assert where.to_dict() == totals.to_dict()
    plain = household_error(table, folds=1)
    spread = household_error(table, folds=1, zones=census)
    assert spread.loc["all", "bias"] == 0
    assert spread.loc["all", "mae"] < plain.loc["all", "mae"]
    assert spread.loc["all", "within_20"] > plain.loc["all", "within_20"]


def test_beijing_population_that_has_no_buildings_is_told(data_dir):
    """331 sub-districts with people, and the buildings of two corners of them: nobody disappears without a word."""
    districts = gpd.read_file(data_dir / "beijing_subdistricts" / "beijing_subdistricts_worldpop.gpkg")
    zones = districts.rename(columns={"pop": "residents"})[["residents", "geometry"]]
    zones["geometry"] = zones.geometry.make_valid()
    zones = zones[zones.geom_type.isin(["Polygon", "MultiPolygon"])]
    for name, most in (("beijing_tsinghua", 521), ("beijing_cau", 257)):
        table = read_buildings(data_dir / name / "map.osm.pbf")
        assert len(table) <= most
        done = estimate_households(table, zones=zones, persons_per_household=2.5)
        got = told(done)
        assert got["total"] == pytest.approx(zones["residents"].sum() / 2.5)
        assert got["spread"] + got["without_floor_area"]["households"] == pytest.approx(got["total"], abs=0.51)
        assert got["buildings_in_no_zone"]["count"] == 0
        assert got["without_floor_area"]["count"] + 10 > len(zones) > got["without_floor_area"]["count"]
        assert done["households"].sum() == got["spread"]
