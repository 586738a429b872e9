"""Tables as nobody should draw them: the audit says what is wrong, the repair leaves what it cannot know."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from shapely import GeometryCollection, LineString, MultiPolygon, Point, Polygon, box
from test_check import QUARTERS, X, Y, at, buildings, communities, only, rules, table
from test_repair import repaired

import gridmap as gm
from gridmap.errors import OptionError, TableError
from gridmap.maps.finding_words import finding_text


def with_corner(value: float) -> Polygon:
    return shapely.transform(QUARTERS[0], lambda xy: np.where(np.arange(len(xy))[:, None] == 1, value, xy))


NASTY = {
    "empty": communities(at(0, 0, 1, 1)).iloc[:0],
    "one row": communities(at(0, 0, 1, 1)),
    "all the same": communities(*[QUARTERS[0]] * 4),
    "all the same building": buildings(*[QUARTERS[0]] * 4, households=[1] * 4),
    "kinds mixed": communities(
        QUARTERS[0], Point(X, Y), LineString([(X, Y), (X + 9, Y)]), GeometryCollection([QUARTERS[3], Point(X, Y)])
    ),
    "3D": communities(*shapely.force_3d(np.array([at(0, 0, 100.3, 100), at(100, 0, 200, 100)]), 4)),
    "no shapes": communities(None, None),
    "some shapes": communities(None, *QUARTERS[:2], Polygon(), MultiPolygon()),
    "NaN": communities(with_corner(np.nan), *QUARTERS[1:]),
    "infinite": communities(with_corner(np.inf), *QUARTERS[1:]),
    "the world": table([box(-180, -90, 180, 90), box(0, 0, 180, 90)], crs=4326, community_id=["a", "b"]),
    "beyond the pole": table([box(73, 100, 104, 120)], crs=4326, community_id=["a"]),
    "antimeridian": table([box(179.9, -17, 180, -16), box(-180, -17, -179.9, -16)], crs=4326, community_id=["a", "b"]),
    "labels repeated": communities(at(0, 0, 100.3, 100), at(100, 0, 200, 100)).set_index(pd.Index([5, 5])),
    "labels of two levels": communities(*QUARTERS).set_index(pd.MultiIndex.from_product([[1, 2], [3, 4]])),
    "ids repeated": table(QUARTERS, community_id=["001", "001", None, ""]),
    "feet": table([box(9e5, 2e5, 9.004e5, 3e5), box(900_399, 2e5, 9.008e5, 3e5)], crs=2263, community_id=[1, 2]),
    "degrees in metres": communities(box(117, 39, 117.01, 39.01), box(117.01, 39, 117.02, 39.01)),
}  # fmt: skip


@pytest.mark.parametrize("name", NASTY)
def test_no_table_is_too_nasty_to_judge_and_to_undo(name):
    found = gm.check(NASTY[name])
    for row in found.to_dict("records"):
        assert row["message"]
        assert row["cure"]
        assert "–" not in "".join(finding_text(row, "zh", {}))
    repaired(NASTY[name])


@pytest.mark.parametrize(("name", "ids"), [("beyond the pole", ["a"]), ("degrees in metres", ["c1", "c2"])])
def test_coordinates_that_the_crs_cannot_have_are_told(name, ids):
    row, _ = only(gm.check(NASTY[name]), "coordinates_not_in_crs")
    assert (row["severity"], row["ids"]) == ("error", ids)


def test_degrees_in_metres_are_told_of_one_table_among_others():
    found = gm.check(communities(*QUARTERS), buildings(box(117, 39, 117.001, 39.001)))
    row, sizes = only(found, "coordinates_not_in_crs")
    assert (row["status"], sizes["east"]) == ("buildings", 117.001)
    assert "look like degrees" in row["message"]


@pytest.mark.parametrize("name", ["NaN", "infinite"])
def test_shapes_without_numbers_break_the_contract_and_no_other_rule(name):
    found = gm.check(NASTY[name])
    assert rules(found) == [("contract", "communities")]
    assert "infinite or NaN coordinates" in found["message"][0]


def test_rows_that_share_an_id_are_told_apart_by_their_numbers():
    found = gm.check(table([QUARTERS[0]] * 2, community_id=["a", "a"]))
    row, _ = only(found, "units_overlap")
    assert row["message"].startswith("communities: a (row 1) and a (row 2) both have 10,000 m²")
    assert row["ids"] == ["a", "a"]


def test_two_columns_of_one_name_are_refused():
    names = pd.DataFrame({"name": list("abcd")})
    drawn = gpd.GeoDataFrame(pd.concat([communities(*QUARTERS), names, names], axis=1))
    for judge in (gm.check, gm.repair):
        with pytest.raises(TableError, match=r"name: several columns; .* Rename one of them"):
            judge(drawn)


def test_points_that_claim_to_be_communities_are_refused_by_their_shapes():
    points = table([Point(X, Y)], community_id=["a"])
    with pytest.raises(
        OptionError, match=r"columns of communities, but its shapes are not Polygon .* check\(communities="
    ):
        gm.check(points)
    with pytest.raises(OptionError, match=r"repair\(table, name='communities'\)"):
        gm.repair(points)
    row, _ = only(gm.check(communities=points), "contract")
    assert (row["ids"], row["message"].split("; ")[0]) == (["a"], "communities.geometry: a: Point")
