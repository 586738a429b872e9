"""Ten small places that a division stumbles over, each with the result that a person can work out."""

from __future__ import annotations

import json

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from plan_checks import check_plan, pieces
from shapely import LineString, Point, Polygon, box

import gridmap as gm

CRS = 32650
# Near the central meridian, where the projection is true to scale and work is done in it.
CORNER = np.array([500_000.0, 4_400_000.0])


def moved(shape):
    return shapely.transform(shape, lambda xy: xy + CORNER)


def land(**areas):
    """Communities by id."""
    return gpd.GeoDataFrame({"community_id": list(areas)}, geometry=[moved(a) for a in areas.values()], crs=CRS)


def houses(*rows):
    """Buildings from (shape, households)."""
    ids = [f"b{k:03d}" for k in range(len(rows))]
    return gpd.GeoDataFrame(
        {"building_id": ids, "households": [n for _, n in rows]}, geometry=[moved(s) for s, _ in rows], crs=CRS
    )


def roads(*lines, **columns):
    return gpd.GeoDataFrame(
        {"class": "residential", **columns}, geometry=[moved(line) for line in lines], crs=CRS, index=range(len(lines))
    )


def barrier(*shapes, kind="river"):
    return gpd.GeoDataFrame(
        {"kind": kind, "hard": True}, geometry=[moved(s) for s in shapes], crs=CRS, index=range(len(shapes))
    )


def house(x, y, side=8.0):
    return box(x - side / 2, y - side / 2, x + side / 2, y + side / 2)


def divided(communities, buildings, streets=None, **options):
    """The plan, after checking what holds for every plan whatever the place."""
    plan = gm.divide(communities, buildings, streets, **options)
    check_plan(plan, communities, buildings)
    return plan


def statuses(plan):
    return sorted(zip(plan.grids["status"], plan.grids["households"], strict=True))


def certificates(plan):
    """Certificate by households of its grid."""
    households = plan.grids.set_index("grid_id")["households"]
    rows = plan.findings[plan.findings["rule"] == "household_band"]
    return {households[ids[0]]: json.loads(text) for ids, text in zip(rows["ids"], rows["certificate"], strict=True)}


def on_ring(radius, number):
    angle = (np.arange(number) + 0.5) * 2 * np.pi / number
    return [(300 + radius * np.cos(a), 300 + radius * np.sin(a)) for a in angle]


def ring_town():
    """8 houses of 50 inside a ring road of radius 200, 16 of 50 outside it: 400 and 800 households."""
    inside = [(house(x, y), 50) for x, y in on_ring(150, 8)]
    outside = [(house(x, y), 50) for x, y in on_ring(250, 16)]
    ring = Point(300, 300).buffer(200, quad_segs=24).exterior
    return land(A=box(0, 0, 600, 600)), houses(*inside, *outside), ring


def test_a_ring_road():
    communities, buildings, ring = ring_town()
    plan = divided(communities, buildings, roads(LineString(ring.coords)))
    # 1200 make 3 of 400, or 4 of 300; nothing keeps them from it
    assert set(plan.grids["status"]) == {"legal"}
    assert len(plan.grids) in (3, 4)
    assert set(pieces(plan).values()) == {1}


def test_a_ring_road_that_cannot_be_crossed():
    communities, buildings, ring = ring_town()
    plan = divided(communities, buildings, barriers=barrier(LineString(ring.coords), kind="expressway"))
    # the 400 inside are a grid; the 800 of the ring outside can only be two, for 800 / 3 < 300
    inside = moved(Polygon(ring))
    assert len(plan.grids) == 3
    assert set(plan.grids["status"]) == {"legal"}
    assert set(pieces(plan).values()) == {1}
    (core,) = [g for g in plan.grids.geometry if g.intersects(moved(Point(300, 300)))]
    assert core.symmetric_difference(inside).area < 1e-3 * inside.area


def test_a_comb_of_dead_ends():
    # ten dead ends off one street, on either side of each four houses of 10: 800 households, which are two grids or
    # none, for 800 / 3 < 300
    teeth = [LineString([(x, 0), (x, 120)]) for x in range(30, 630, 60)]
    rows = [(house(x + side, y), 10) for x in range(30, 630, 60) for side in (-14, 14) for y in (25, 50, 75, 100)]
    streets = roads(LineString([(0, 0), (600, 0)]), *teeth)
    plan = divided(land(A=box(0, -40, 600, 140)), houses(*rows), streets)
    assert [status for status, _ in statuses(plan)] == ["legal", "legal"]
    assert set(pieces(plan).values()) == {1}
    # both are reached from the spine: a border from north to south, with a house on the wrong side nowhere
    assert plan.audit().set_index("measure").loc["extra_pieces", "value"] == 0


def tower_town():
    """A tower of 812 in the middle of twelve houses of 40, which make 480."""
    around = [(60, 60), (150, 60), (240, 60), (240, 150), (240, 240), (150, 240), (60, 240), (60, 150)]
    corners = [(20, 20), (280, 20), (280, 280), (20, 280)]
    return land(A=box(0, 0, 300, 300)), houses((house(150, 150, 30), 812), *((house(*p), 40) for p in around + corners))


def test_one_tower_of_812():
    plan = divided(*tower_town())
    # whatever the tower is joined with lies 312 or more above 500; alone it spoils no other grid
    assert statuses(plan) == [("above", 812), ("legal", 480)]
    (why,) = certificates(plan).values()
    assert why["kind"] == "atom_above_upper"
    assert why["atom_weight"] == 812
    assert set(pieces(plan).values()) == {1}


def test_one_tower_of_812_by_its_units():
    communities, buildings = tower_town()
    units = pd.DataFrame({"building_id": "b000", "unit_id": ["1", "2", "3", "4"], "households": 203})
    plan = divided(communities, buildings, units=units, split_large=True)
    # 1292 make three of 300 to 500, or four: four units of 203, of which no two neighbours are above 500
    assert set(plan.grids["status"]) == {"legal"}
    assert not certificates(plan)
    assert plan.assignment.query("building_id == 'b000'")["households"].tolist() == [203] * 4


def test_a_community_of_550():
    rows = [(house(30 + 40 * k, 50), 50) for k in range(11)]
    plan = divided(land(A=box(0, 0, 460, 100)), houses(*rows), roads(LineString([(0, 30), (460, 30)])))
    # one grid is 50 above, two are 25 below each: as far off, so fewer grids
    assert statuses(plan) == [("above", 550)]
    (why,) = certificates(plan).values()
    assert why["kind"] == "component_total"
    assert why["weight"] == 550


def island():
    """350 households on the mainland, 150 on an island across a river of 40 m."""
    river = box(-10, 200, 510, 240)
    mainland = [(house(35 + 60 * k, y), 25) for k in range(7) for y in (60, 140)]
    over = [(house(100 + 60 * k, 320), 30) for k in range(5)]
    return land(A=box(0, 0, 500, 400)), houses(*mainland, *over), river


def test_an_island_across_a_river_without_a_bridge():
    communities, buildings, river = island()
    plan = divided(communities, buildings, barriers=barrier(river))
    # the river can't be crossed: 150 remain alone
    assert statuses(plan) == [("below", 150), ("legal", 350)]
    (why,) = certificates(plan).values()
    assert why["kind"] == "component_total"
    assert why["weight"] == 150
    # the river itself holds nobody; what of it a grid got is joined to it
    assert set(pieces(plan).values()) == {1}


def test_a_bridge_to_the_island():
    communities, buildings, river = island()
    streets = roads(
        LineString([(250, 0), (250, 195)]), LineString([(250, 195), (250, 245)]), LineString([(250, 245), (250, 400)]),
        bridge=["no", "yes", "no"],
    )  # fmt: skip
    plan = divided(communities, buildings, streets, barriers=barrier(river))
    # one component of 500: both banks are one grid
    assert statuses(plan) == [("legal", 500)]
    assert plan.audit().set_index("measure").loc["grids_not_joined", "value"] == 0


def test_two_enclaves():
    # A has two holes; B is the two of them. 20 houses of 40 in A are 800: two grids or none. B's 200 and 250 are one
    # grid in two pieces, for pieces of one community count as neighbours.
    first, second = box(100, 100, 200, 200), box(300, 100, 400, 200)
    around = [(30 + 48.5 * k, y) for k in range(10) for y in (40, 260)]
    rows = [(house(*p), 40) for p in around]
    rows += [(house(x, y), 50) for x in (130, 170) for y in (130, 170)]
    rows += [(house(x, 150), 50) for x in (320, 335, 350, 365, 380)]
    outer = box(0, 0, 500, 300).difference(shapely.union_all([first, second]))
    plan = divided(land(A=outer, B=shapely.union_all([first, second])), houses(*rows))
    assert set(plan.grids["status"]) == {"legal"}
    own = plan.grids.groupby("community_id")["households"].apply(sorted)
    assert len(own["A"]) == 2
    assert own["B"] == [450]
    found = pieces(plan)
    of = plan.grids.set_index("grid_id")["community_id"]
    assert {of[g]: n for g, n in found.items()} == {"A": 1, "B": 2}
    assert sorted(plan.grids.geometry.geom_type) == ["MultiPolygon", "Polygon", "Polygon"]
    assert plan.audit().set_index("measure").loc["extra_pieces", "value"] == 0


def test_parks_without_households():
    # A: 16 houses of 50 around a park, 800, so two grids; B: nothing but park
    park = box(120, 120, 380, 380)
    edge = [(60, y) for y in range(60, 460, 95)] + [(440, y) for y in range(60, 460, 95)]
    edge += [(x, y) for x in (155, 250, 345) for y in (60, 440)]
    streets = roads(*(LineString(c) for c in zip(park.exterior.coords[:-1], park.exterior.coords[1:], strict=True)))
    plan = divided(
        land(A=box(0, 0, 500, 500), B=box(500, 0, 900, 500)), houses(*((house(*p), 50) for p in edge)), streets
    )
    own = plan.grids.groupby("community_id")
    assert [len(rows) for _, rows in own] == [2, 1]
    assert own["status"].apply(sorted).to_dict() == {"A": ["legal", "legal"], "B": ["empty"]}
    assert own["households"].sum().to_dict() == {"A": 800, "B": 0}
    assert set(pieces(plan).values()) == {1}
    assert not certificates(plan)


def lattice():
    """144 equal houses of 10 on a lattice of equal plots."""
    rows = [(house(25 + 50 * i, 25 + 50 * j, 20), 10) for j in range(12) for i in range(12)]
    streets = roads(
        *(LineString([(0, t), (600, t)]) for t in range(0, 601, 150)),
        *(LineString([(t, 0), (t, 600)]) for t in range(0, 601, 150)),
    )
    return land(A=box(0, 0, 600, 600)), houses(*rows), streets


def test_all_equal_ties():
    communities, buildings, streets = lattice()
    plan = divided(communities, buildings, streets)
    # 1440 are three or four grids
    assert set(plan.grids["status"]) == {"legal"}
    assert len(plan.grids) in (3, 4)
    assert set(pieces(plan).values()) == {1}
    assert divided(communities, buildings, streets).equals(plan)
    for seed in range(2):
        again = gm.divide(
            communities, *(t.sample(frac=1, random_state=seed) for t in (buildings, streets.reset_index(drop=True)))
        )
        assert again.plan_hash == plan.plan_hash


def test_coincident_points():
    # six of 60 at one point are 360 that nothing can part; with the ten of 40 they make 760: two grids or none, for
    # 760 / 3 < 300
    rows = [(Point(200, 100), 60)] * 6 + [(Point(40 + 80 * (k % 5), 40 + 120 * (k // 5)), 40) for k in range(10)]
    plan = divided(land(A=box(0, 0, 400, 200)), houses(*rows))
    assert [status for status, _ in statuses(plan)] == ["legal", "legal"]
    together = plan.assignment.set_index("building_id")["grid_id"][[f"b{k:03d}" for k in range(6)]]
    assert len(set(together)) == 1
    assert set(pieces(plan).values()) == {1}
    # nine of them are 540: no grid within the band can hold the point
    rows = [(Point(200, 100), 60)] * 9 + rows[6:]
    plan = divided(land(A=box(0, 0, 400, 200)), houses(*rows))
    assert statuses(plan) == [("above", 540), ("legal", 400)]
    assert certificates(plan)[540]["kind"] == "atom_above_upper"


@pytest.mark.parametrize("shape", [house(50, 50), Point(50, 50)])
@pytest.mark.parametrize(
    ("households", "status", "kind"),
    [(400, "legal", None), (300, "legal", None), (500, "legal", None), (5, "below", "component_total"),
     (812, "above", "atom_above_upper"), (0, "empty", None)],
)  # fmt: skip
def test_one_building(shape, households, status, kind):
    communities = land(A=box(0, 0, 100, 80))
    plan = divided(communities, houses((shape, households)))
    assert statuses(plan) == [(status, households)]
    assert plan.grids.geometry[0].symmetric_difference(communities.geometry[0]).area < 1e-6
    assert [why["kind"] for why in certificates(plan).values()] == ([kind] if kind else [])
