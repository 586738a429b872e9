"""Grid codes against examples worked by hand: both schemes, the order of numbers, and what re-division keeps."""

from __future__ import annotations

import geopandas as gpd
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely import box

from gridmap.division.plans.codes import grid_codes, kept_codes, reading_order
from gridmap.errors import OptionError

CRS = "EPSG:32650"


def table(boxes, owner="A"):
    owners = [owner] * len(boxes) if isinstance(owner, str) else owner
    return gpd.GeoDataFrame({"community_id": owners}, geometry=list(boxes.values()), crs=CRS, index=list(boxes))


def communities(**codes):
    return pd.DataFrame({"community_id": list(codes), "code": list(codes.values())})


# Two rows of 100 m: the mean area is 10 000 m², so a row is 100 m high and the rows are the rows drawn.
SIX = {
    "south-west": box(0, 0, 100, 100),
    "south": box(100, 0, 200, 100),
    "south-east": box(200, 0, 300, 100),
    "north-west": box(0, 100, 100, 200),
    "north": box(100, 100, 200, 200),
    "north-east": box(200, 100, 300, 200),
}


def test_rows_from_north_to_south_and_west_to_east_within_a_row():
    assert reading_order(table(SIX)).tolist() == [
        "north-west", "north", "north-east", "south-west", "south", "south-east",
    ]  # fmt: skip


def test_a_row_is_as_high_as_the_mean_grid_is_wide():
    # 60 000, 40 000 and 10 000 m²: rows of 191 m from the top at 400; the centroids lie 100, 150 and 300 m below it
    grids = {"low": box(0, 0, 300, 200), "west": box(0, 200, 200, 400), "east": box(200, 200, 300, 400)}
    assert reading_order(table(grids)).tolist() == ["west", "east", "low"]
    # 54 000, 2 000 and 36 000 m²: rows of 175 m; the centroid of the western grid lies 210 m below the top
    sunk = {"low": box(0, 0, 300, 180), "west": box(0, 180, 100, 200), "east": box(100, 180, 300, 400)}
    assert reading_order(table(sunk)).tolist() == ["east", "west", "low"]


def test_fifteen_digits():
    codes = grid_codes(table(SIX), communities(A="440103001005"))
    assert codes.codes.to_dict() == {
        "north-west": "440103001005001",
        "north": "440103001005002",
        "north-east": "440103001005003",
        "south-west": "440103001005004",
        "south": "440103001005005",
        "south-east": "440103001005006",
    }
    assert codes.highest == {"A": 6}
    assert codes.findings == []


def test_twenty_digits():
    grids = table({"w": box(0, 0, 1, 1), "e": box(1, 0, 2, 1), "whole": box(5, 0, 6, 1)}, ["A", "A", "B"])
    codes = grid_codes(
        grids, communities(A="110108007012", B="110108007013"), scheme="CJ/T 349", object_code="010200"
    ).codes
    # object 010200, county 110108, street 007, community 012, grid 01; a community of one grid has 00
    assert codes.to_dict() == {
        "w": "01020011010800701201",
        "e": "01020011010800701202",
        "whole": "01020011010800701300",
    }


def test_a_community_without_a_code_of_its_own_is_provisional():
    grids = table({n: box(i, 0, i + 1, 1) for i, n in enumerate("abcd")}, ["A", "B", "C", "D"])
    codes = grid_codes(grids, communities(A="110108007012", B=None, C="12345", D="110108007012"))
    assert codes.codes.tolist() == ["X-A-001", "X-B-001", "X-C-001", "X-D-001"]
    missing, repeated = codes.findings
    assert (missing["status"], missing["ids"]) == ("provisional", ["B", "C"])
    assert (repeated["status"], repeated["ids"]) == ("repeated", ["A", "D"])
    assert grid_codes(grids, communities(A="1", B="1", C="1", D="1").drop(columns="code")).codes["a"] == "X-A-001"


def test_more_grids_than_numbers():
    many = table({i: box(i, 0, i + 1, 1) for i in range(100)})
    with pytest.raises(OptionError, match="community A needs 100 grid numbers, code 'CJ/T 349' has 99"):
        grid_codes(many, communities(A="110108007012"), scheme="CJ/T 349")
    assert grid_codes(many, communities(A="110108007012")).codes[99] == "110108007012100"


@pytest.mark.parametrize(
    ("scheme", "object_code", "told"),
    [("16", "000000", "'15', 'CJ/T 349'"), ("15", "12", "six digits"), ("CJ/T 349", 123456, "six digits")],
)
def test_unknown_schemes_are_refused(scheme, object_code, told):
    with pytest.raises(OptionError, match=told):
        grid_codes(table(SIX), communities(A="110108007012"), scheme=scheme, object_code=object_code)


def test_new_grids_append_and_retired_numbers_stay_retired():
    grids = table(SIX)
    kept = {"south": "440103001005002", "north": "440103001005004", "north-west": "999999999999001"}
    codes = grid_codes(grids, communities(A="440103001005"), kept=kept, highest={"A": 7})
    # south and north keep theirs; a code of another community is not kept; 5 to 7 were given out before
    assert codes.codes.str[-3:].to_dict() == {
        "south-west": "010",
        "south": "002",
        "south-east": "011",
        "north-west": "008",
        "north": "004",
        "north-east": "009",
    }
    assert codes.highest == {"A": 11}


def test_dividing_an_undivided_community_starts_at_one():
    halves = table({"w": box(0, 0, 1, 1), "e": box(1, 0, 2, 1)})
    codes = grid_codes(
        halves, communities(A="110108007012"), scheme="CJ/T 349", kept={"w": "00000011010800701200"}
    ).codes
    assert codes.str[-2:].tolist() == ["01", "02"]


def test_most_of_the_households_decide():
    before = pd.Series(["1", "1", "1", "2", "2", "3", None])
    after = pd.Series(["a", "b", "b", "b", "c", "c", "c"])
    # 1 has 250 of 300 in b; 2 has 100 of 200 in b, which is not most; 3 is in c as a whole
    assert kept_codes(before, after, pd.Series([50, 150, 100, 100, 100, 90, 10])) == {"b": "1", "c": "3"}


@given(st.lists(st.tuples(st.sampled_from("123"), st.sampled_from("abc"), st.integers(0, 9)), max_size=12))
def test_kept_codes_agree_with_counting(rows):
    before, after, households = (pd.Series([r[k] for r in rows], dtype=object) for k in range(3))
    kept = kept_codes(before, after, households.astype(float))
    for new, old in kept.items():
        shared = sum(h for b, a, h in rows if (b, a) == (old, new))
        total = sum(h for b, _, h in rows if b == old)
        assert 2 * shared > total
    assert len(set(kept.values())) == len(kept)
    for old in {b for b, _, _ in rows} - set(kept.values()):
        best = {n: sum(h for b, a, h in rows if (b, a) == (old, n)) for n in "abc"}
        most = [n for n, h in best.items() if 2 * h > sum(best.values())]
        assert all(n in kept for n in most), "a code is lost only to a larger one"


@given(st.permutations(list(SIX)))
def test_codes_do_not_depend_on_the_order_of_rows(order):
    straight = grid_codes(table(SIX), communities(A="440103001005")).codes
    other = grid_codes(table({name: SIX[name] for name in order}), communities(A="440103001005")).codes
    assert other.sort_index().equals(straight.sort_index())
