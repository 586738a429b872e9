"""The measures of the benchmarks against counting by hand, and that they divide what `divide` divides."""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd
import pytest
import shapely
from conftest import REPOSITORY
from shapely import box

import gridmap as gm
from gridmap.division.plans.audit import polsby_popper
from gridmap.division.search.partition import lots_from_borders

sys.path.insert(0, str(REPOSITORY / "benchmarks"))
import division
import peer_tools
from instances import Instance, cut, instance, tables_of
from measures import measure_labels

# A row of six lots of 100 m x 100 m, all borders 100 m: 0-1 on a street, the rest not. Two communities of three lots.
WEIGHTS = [150, 250, 300, 900, 200, 350]


def row_of_lots(weights=WEIGHTS):
    n = len(weights)
    shapes = np.array([box(100 * i, 0, 100 * i + 100, 100) for i in range(n)])
    a = np.arange(n - 1)
    metres = np.full(n - 1, 100.0)
    lots = lots_from_borders(
        np.array(weights, float), shapely.area(shapes), shapely.length(shapes),
        a, a + 1, metres, np.where(a == 0, 100.0, 0.0), np.ones(n - 1, bool),
    )  # fmt: skip
    centres = shapely.get_coordinates(shapely.centroid(shapes))
    half = n // 2
    return Instance(
        "row", lots, np.repeat([0, 1], [half, n - half]), shapes, centres, np.arange(n),
        building=np.array([0, 1, 1, 2]), building_atom=np.array([0, 1, 2, 3]),
        compound=np.array([0, 0, -1, 1, 1, -1]), has_streets=True,
    )  # fmt: skip


def test_measures_are_those_counted_by_hand():
    case = row_of_lots()
    # parts: 150 + 300 in two pieces (legal weight), 250 alone, the tower of 900 alone, 200 + 350 = 550
    got = measure_labels(case, np.array([0, 1, 0, 2, 3, 3]))
    assert got["grids"] == 4
    assert got["out_of_band"] == 3
    assert got["in_band"] == 1 / 4
    assert got["outside"] == 50 + 400 + 50
    assert got["legal"] == got["but_for_towers"] == 0
    assert got["extra_pieces"] == 1
    # the compound of lots 0 and 1 fits and is split; that of the tower does not fit
    assert got["compounds_split"] == 1
    assert got["footprints_cut"] == 1
    # four borders between parts, one of them on the street
    assert got["on_street"] == pytest.approx(100 / 400)


def test_shape_of_parts_is_that_of_their_polygons():
    case = row_of_lots()
    label = np.array([0, 0, 1, 1, 1, 2])
    unions = [shapely.union_all(case.shapes[label == part]) for part in range(3)]
    assert measure_labels(case, label)["polsby_popper"] == pytest.approx(polsby_popper(unions).mean())


def test_tour_goes_there_and_back():
    # doors in a row 100 m apart: a closed tour of three is 400 m; two tours for six doors
    got = measure_labels(row_of_lots(), np.array([0, 0, 0, 1, 1, 1]))
    assert got["tour"] == pytest.approx(800 / 6)


def test_both_ends_of_the_band_are_in_it():
    assert measure_labels(row_of_lots([300, 500, 300, 299, 501, 400]), np.arange(6))["in_band"] == 4 / 6


def test_a_tower_excuses_its_own_part_and_no_other():
    case = row_of_lots([300, 300, 300, 900, 300, 300])
    fine = measure_labels(case, np.arange(6))
    assert (fine["legal"], fine["but_for_towers"]) == (0.5, 1.0)
    worse = measure_labels(row_of_lots([300, 300, 300, 900, 300, 200]), np.arange(6))
    assert (worse["legal"], worse["but_for_towers"]) == (0.5, 0.5)


def test_land_of_nobody_is_no_grid_and_no_extra_piece():
    case = row_of_lots([300, 0, 300, 0, 400, 0])
    got = measure_labels(case, np.array([0, 0, 1, 2, 3, 1]))
    assert got["grids"] == 3
    assert got["extra_pieces"] == 0
    assert got["legal"] == 1.0
    # 200 m x 100 m, two squares apart (lots 2 and 5), one square; land of nobody has no shape to be judged
    area, outline = np.array([20000, 20000, 10000]), np.array([600, 800, 400])
    assert got["polsby_popper"] == pytest.approx((4 * np.pi * area / outline**2).mean())


@pytest.mark.parametrize(
    ("total", "expected"), [(800, [2]), (1200, [3, 4]), (1600, [4, 5]), (550, [1]), (2400, [6, 7, 5]), (90, [1])]
)
def test_numbers_of_parts_are_those_the_band_allows(total, expected):
    assert peer_tools.numbers_of_parts(total) == expected


def test_peers_need_not_place_towers():
    case = row_of_lots([300, 300, 100, 900, 300, 300])

    def from_the_left(part, parts, _seed):
        return np.minimum(np.arange(len(part.xy)), parts - 1)

    label, _, note = peer_tools.divide_with(peer_tools.Tool(from_the_left, "numpy"), case)
    assert not note
    # 300 | 300 + 100 | tower | 300 | 300
    assert len(np.unique(label)) == 5
    assert (label == label[3]).sum() == 1
    assert label[1] == label[2] != label[0]


def test_what_a_tower_cuts_off_and_is_too_small_goes_with_it():
    case = row_of_lots([100, 900, 300, 300, 50, 50])
    label, _, _ = peer_tools.divide_with(peer_tools.Tool(lambda part, *_: np.arange(len(part.xy)) // 2, "numpy"), case)
    assert label[0] == label[1]
    assert (label == label[1]).sum() == 2


def test_of_all_tries_the_best_is_kept_and_a_tool_that_gives_up_is_named():
    case = row_of_lots([300] * 4)
    tries = [None, np.array([0, 0, 0, 1]), np.arange(4), np.array([0, 1, 2, 2])]

    def nth(_part, parts, seed):
        return tries[seed] if parts == 3 else None

    best, _, note = peer_tools.divide_with(peer_tools.Tool(nth, "numpy", tries=4), case)
    assert len(np.unique(best)) == 4
    assert not note
    whole, _, note = peer_tools.divide_with(peer_tools.Tool(nth, "numpy", tries=1), case)
    assert len(np.unique(whole)) == 1
    assert note == "gave up on 1 components, which stay whole"
    _, _, note = peer_tools.divide_with(peer_tools.Tool(nth, "numpy", tries=4), case, limit=-1)
    assert note == "1 of 4 tries, gave up on 1 components, which stay whole"


def test_the_benchmark_divides_as_divide_does():
    tables = tables_of("sample town")
    ground = cut(tables)
    case = instance("sample town", tables, ground)
    label = division.divide_instance(case)
    rest = {name: tables[name] for name in ("compounds", "barriers")}
    plan = gm.divide(tables["communities"], tables["buildings"], tables["streets"], **rest)
    ours = pd.Series(label, index=ground.atoms["atom_id"])
    theirs = plan.atoms.set_index("atom_id")["grid_id"].reindex(ours.index)
    assert ours.nunique() == theirs.nunique() == len(ours.groupby([ours, theirs.to_numpy()]).size())
    got, audit = measure_labels(case, label), plan.audit().set_index("measure")["value"]
    assert got["grids"] == audit["grids_counted"]
    assert got["in_band"] == audit["in_band_share"]
    assert got["extra_pieces"] == audit["extra_pieces"] == 0
    assert got["footprints_cut"] == audit["footprints_cut"] == 0


def test_copies_of_a_place_are_divided_like_the_place():
    tables = {name: table for name, table in tables_of("sample town").items() if name != "compounds"}
    twice = division.copies(tables, 2)
    assert twice["buildings"]["building_id"].is_unique
    one, two = (instance("town", t, cut(t)).lots for t in (tables, twice))
    assert two.weight.sum() == 2 * one.weight.sum()
    assert abs(len(two.weight) - 2 * len(one.weight)) <= 0.01 * len(one.weight)
    assert two.components()[0] == 2 * one.components()[0]


def test_table_shows_what_is_missing_as_a_dash():
    rows = [{"name": "a", "x": 0.5}, {"name": "b", "x": float("nan")}, {"name": "c"}]
    lines = division.table(rows, {"name": ("tool", ""), "x": ("share", ".0%")}).splitlines()
    assert lines == ["| tool | share |", "|---|---:|", "| a | 50% |", "| b | – |", "| c | – |"]
