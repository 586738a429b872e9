"""Permeability: lattices whose figures anybody can work out, networkx for the ways, and sums over units that add up."""

from __future__ import annotations

import doctest
import itertools
from types import SimpleNamespace

import geopandas as gpd
import networkx as nx
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from shapely import LineString, Point, Polygon, box
from small_towns import CRS, ORIGIN, at, random_town

import gridmap as gm
import gridmap.coverage.permeability.permeability
from gridmap.coverage.permeability.permeability import NORMS, permeability
from gridmap.errors import OptionError

seeds = st.integers(0, 2**32 - 1)
few = settings(max_examples=12, deadline=None, derandomize=True)


def streets_of(*lines, kind="residential"):
    return gpd.GeoDataFrame({"class": [kind] * len(lines)}, geometry=[LineString(at(line)) for line in lines], crs=CRS)


def lattice(cells=4, spacing=100.0):
    """Streets around `cells` x `cells` square blocks; one row a stretch between two crossings."""
    ticks = np.arange(cells + 1) * spacing
    return streets_of(
        *([[a, t], [b, t]] for t in ticks for a, b in itertools.pairwise(ticks)),
        *([[t, a], [t, b]] for t in ticks for a, b in itertools.pairwise(ticks)),
    )


def units_of(**boxes):
    low = np.array(ORIGIN)
    shapes = [shapely.transform(box(*bounds), lambda xy: xy + low) for bounds in boxes.values()]
    return gpd.GeoDataFrame({"grid_id": list(boxes)}, geometry=shapes, crs=CRS)


def test_a_lattice_has_the_figures_of_a_lattice():
    figures = permeability(lattice(), units_of(all=(0, 0, 400, 400)), detour_origins=None).iloc[0]
    assert figures["area_km2"] == pytest.approx(0.16)
    assert figures["walk_km"] == pytest.approx(4.0)
    assert figures["walk_km_per_km2"] == pytest.approx(25)
    assert figures["road_km_per_km2"] == pytest.approx(25)
    assert (figures["blocks"], figures["block_land_share"]) == (16, pytest.approx(1))
    for size in ("mean", "median", "largest"):
        assert figures[f"block_ha_{size}"] == pytest.approx(1)
    assert figures["intersections"] == 25 - 4
    assert figures["intersections_per_km2"] == pytest.approx(21 / 0.16)
    assert figures["dead_ends"] == 0
    # corners are bends, so ways are measured between the 21 crossings: the sum of both legs over the straight line
    spots = [(x, y) for x in range(5) for y in range(5) if (x % 4, y % 4) != (0, 0)]
    ratios = [
        (abs(a - c) + abs(b - d)) / np.hypot(a - c, b - d)
        for a, b in spots
        for c, d in spots
        if 1 <= np.hypot(a - c, b - d) <= 5
    ]
    assert figures["detour_pairs"] == len(ratios)
    assert figures["detour_mean"] == pytest.approx(np.mean(ratios))
    assert figures["detour_median"] == pytest.approx(np.median(ratios))
    assert figures["detour_far_share"] == 0


def test_a_street_on_a_border_counts_half_on_either_side():
    figures = permeability(lattice(), units_of(west=(0, 0, 200, 400), east=(200, 0, 400, 400))).set_index("unit_id")
    assert figures.loc["west", "walk_km"] == pytest.approx(2.0, rel=0.01)
    assert figures["walk_km"].sum() == pytest.approx(4.0)
    assert figures["intersections"].tolist() == [10.5, 10.5]
    assert figures["blocks"].tolist() == pytest.approx([8, 8])
    # and where the border misses the street by half a metre, nothing much changes
    askew = permeability(lattice(), units_of(west=(0, 0, 199.5, 400), east=(199.5, 0, 400, 400))).set_index("unit_id")
    assert askew["walk_km"].tolist() == pytest.approx([2.0, 2.0], abs=0.02)
    assert askew["intersections"].tolist() == [10.5, 10.5]


def test_a_unit_within_a_superblock_has_its_size():
    big = streets_of([[0, 0], [600, 0], [600, 600], [0, 600], [0, 0]], [[600, 0], [700, 0], [700, 600], [600, 600]])
    figures = permeability(big, units_of(inner=(100, 100, 300, 400), edge=(550, 0, 700, 600))).set_index("unit_id")
    assert figures.loc["inner", ["block_ha_mean", "block_ha_median", "block_ha_largest"]].tolist() == [36, 36, 36]
    assert figures.loc["inner", "blocks"] == pytest.approx(6 / 36)
    assert figures.loc["inner", "walk_km"] == 0
    # a twelfth of the superblock, and the whole of the strip beside it
    assert figures.loc["edge", "blocks"] == pytest.approx(1 + 1 / 12)
    assert figures.loc["edge", "block_ha_mean"] == pytest.approx((6 + 3) / (1 + 1 / 12))
    assert figures.loc["edge", "block_ha_median"] == 6
    assert figures.loc["edge", "block_ha_largest"] == 36


def test_dead_ends_bends_and_roads():
    streets = streets_of([[0, 0], [100, 0]], [[100, 0], [200, 0]], [[100, 0], [100, 50], [150, 50]])
    streets.loc[2, "class"] = "footway"
    figures = permeability(streets, units_of(u=(-10, -10, 210, 60))).iloc[0]
    assert (figures["intersections"], figures["dead_ends"], figures["dead_end_share"]) == (1, 3, 0.75)
    assert (figures["walk_km"], figures["road_km"]) == pytest.approx((0.3, 0.2))
    assert np.isnan(figures[["block_ha_mean", "block_ha_largest"]].astype(float)).all()
    bare = permeability(streets.drop(columns="class"), units_of(u=(-10, -10, 210, 60))).iloc[0]
    assert np.isnan(bare["road_km"])


def test_ground_between_carriageways_is_no_block():
    streets = streets_of(
        [[0, 0], [200, 0], [200, 8], [0, 8], [0, 0]], [[0, 8], [0, 108]], [[0, 108], [200, 108]], [[200, 108], [200, 8]]
    )
    unit = units_of(u=(0, 0, 200, 108))
    table = permeability(streets, unit)
    assert table.attrs["narrow_faces"] == 1
    assert (table["blocks"].iloc[0], table["block_ha_mean"].iloc[0]) == (1, pytest.approx(2))
    assert permeability(streets, unit, least_width=0)["blocks"].iloc[0] == 2


def test_intersections_in_a_chain_are_one():
    small = lattice(2, 9.0)
    unit = units_of(u=(0, 0, 18, 18))
    assert permeability(small, unit, join_metres=8)["intersections"].iloc[0] == 5
    assert permeability(small, unit, join_metres=9)["intersections"].iloc[0] == 1


@few
@given(seed=seeds)
def test_units_that_tile_the_town_add_up_to_the_network(seed):
    _, _, streets = random_town(seed, side=6)
    network = gm.StreetNetwork.from_streets(streets)
    graph = nx.MultiGraph(zip(network.graph.edge_u.tolist(), network.graph.edge_v.tolist(), strict=True))
    degree = [d for _, d in graph.degree()]
    cuts = sorted(np.random.default_rng(seed).uniform(-50, 400, 3).tolist())
    ticks = [-200, *cuts, 700]
    names = dict(zip("abcd", ((x, -200, y, 700) for x, y in itertools.pairwise(ticks)), strict=True))
    figures = permeability(network, units_of(**names), join_metres=0, least_width=0)
    assert figures["walk_km"].sum() == pytest.approx(network.graph.edge_length.sum() / 1000)
    assert figures["intersections"].sum() == pytest.approx(sum(d >= 3 for d in degree))
    assert figures["dead_ends"].sum() == pytest.approx(sum(d == 1 for d in degree))
    faces = shapely.get_parts(shapely.polygonize(list(shapely.get_parts(shapely.union_all(network.edge_lines)))))
    assert figures["blocks"].sum() == pytest.approx(len(faces))
    assert (figures["blocks"] * figures["block_ha_mean"]).sum() == pytest.approx(shapely.area(faces).sum() / 1e4)


@few
@given(seed=seeds)
def test_detours_are_those_of_networkx(seed):
    homes, _, streets = random_town(seed, side=6)
    network = gm.StreetNetwork.from_streets(streets)
    graph = nx.Graph()
    xy = network.graph.node_xy
    for u, v, length in zip(network.graph.edge_u, network.graph.edge_v, network.graph.edge_length, strict=True):
        graph.add_edge(int(u), int(v), w=float(length))
    largest = max(nx.connected_components(graph), key=lambda c: graph.subgraph(c).size("w"))
    least = 0.1 * graph.subgraph(largest).size("w")
    pieces = [c for c in nx.connected_components(graph) if graph.subgraph(c).size("w") >= least]
    ends = [n for piece in pieces for n in piece if graph.degree(n) != 2]
    ratios = []
    for a, b in itertools.permutations(ends, 2):
        straight = np.hypot(*(xy[a] - xy[b]))
        if 60 <= straight <= 200:
            way = nx.dijkstra_path_length(graph, a, b, "w") if nx.has_path(graph, a, b) else np.inf
            ratios.append(min(way / straight, 3.0))
    unit = units_of(u=(-200, -200, 800, 800))
    figures = permeability(network, unit, detour_metres=(60, 200), detour_origins=None).iloc[0]
    assert figures["detour_pairs"] == len(ratios)
    if ratios:
        assert figures["detour_mean"] == pytest.approx(np.mean(ratios))
        assert figures["detour_far_share"] == pytest.approx(np.mean(np.array(ratios) >= 3))
    assert len(homes) == 25


def test_detours_between_buildings_go_through_the_gate():
    streets = streets_of([[0, 0], [220, 0], [220, 60]])
    wall = Polygon(at([[100, 10], [200, 10], [200, 90], [100, 90]]))
    compounds = gpd.GeoDataFrame({"compound_id": ["c"]}, geometry=[wall], crs=CRS)
    gate = gpd.GeoDataFrame(
        {"entrance_id": ["g"], "of": ["compound"], "of_id": ["c"]}, geometry=[Point(at([200, 50]))], crs=CRS
    )
    homes = gpd.GeoDataFrame(
        {"building_id": ["in", "out"]}, geometry=[Point(at([100.5, 50])), Point(at([60, 10]))], crs=CRS
    )
    unit = units_of(u=(0, 0, 300, 100))
    options = {"buildings": homes, "detour_metres": (10, 100)}
    free = permeability(streets, unit, **options).iloc[0]
    shut = permeability(streets, unit, compounds=compounds, entrances=gate, **options).iloc[0]
    straight = np.hypot(40.5, 40)
    assert free["detour_mean"] == pytest.approx((50 + 40.5 + 10) / straight)
    # 99.5 m to the gate, 20 m to the street, 50 m down, 160 m back, 10 m up: more than three times, so three
    assert 3 * straight < 99.5 + 20 + 50 + 160 + 10
    assert (shut["detour_mean"], shut["detour_far_share"], shut["detour_pairs"]) == (3, 1, 2)


def test_draws_hang_on_the_unit_and_the_seed_alone():
    streets = lattice(8, 70.0)
    both = units_of(a=(0, 0, 280, 560), b=(280, 0, 560, 560))
    columns = ["detour_mean", "detour_median", "detour_pairs"]
    one = permeability(streets, both, detour_origins=5)
    assert_frame_equal(one, permeability(streets.iloc[::-1], both.iloc[::-1], detour_origins=5))
    alone = permeability(streets, both.iloc[[1]], detour_origins=5)
    assert one.loc[one["unit_id"] == "b", columns].to_numpy().tolist() == alone[columns].to_numpy().tolist()
    other = permeability(streets, both, detour_origins=5, seed=1)
    assert other[columns].to_numpy().tolist() != one[columns].to_numpy().tolist()


def test_units_in_another_crs_and_plans_will_do():
    units = units_of(u=(0, 0, 400, 400))
    plain = permeability(lattice(), units)
    far = permeability(lattice(), units.to_crs(4326))
    assert far.crs.to_epsg() == 4326
    assert far["walk_km"].iloc[0] == pytest.approx(plain["walk_km"].iloc[0], rel=1e-3)
    assert_frame_equal(permeability(lattice(), SimpleNamespace(grids=units)), plain)


def test_norms_carry_their_source_and_mark():
    table = permeability(lattice(), units_of(u=(0, 0, 400, 400)))
    assert table.attrs["norms"][0]["at_least"] == 8
    assert all(norm["source"] and norm["mark"] for norm in NORMS)
    assert {norm["column"] for norm in NORMS} - {None} <= set(table.columns)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"least_width": -1}, "least_width"),
        ({"join_metres": np.inf}, "join_metres"),
        ({"detour_metres": (500, 100)}, "detour_metres"),
        ({"detour_origins": 0}, "detour_origins"),
    ],
)
def test_impossible_options_are_refused(options, words):
    with pytest.raises(OptionError, match=words):
        permeability(lattice(), units_of(u=(0, 0, 400, 400)), **options)


def test_units_without_land_are_refused():
    with pytest.raises(OptionError, match="polygons or a plan"):
        permeability(lattice(), "community_id")
    points = gpd.GeoDataFrame({"grid_id": ["u"]}, geometry=[Point(ORIGIN)], crs=CRS)
    with pytest.raises(OptionError, match="other geometries than polygons"):
        permeability(lattice(), points)


def test_the_communities_of_a_real_city(data_dir):
    streets = gm.read_streets(next((data_dir / "beijing_tsinghua").glob("*.pbf")))
    network = gm.StreetNetwork.from_streets(streets)
    west, south, east, north = shapely.total_bounds(network.edge_lines)
    middle = (west + east) / 2
    halves = gpd.GeoDataFrame(
        {"community_id": ["west", "east"]},
        geometry=[box(west - 1, south - 1, middle, north + 1), box(middle, south - 1, east + 1, north + 1)],
        crs=network.crs,
    )
    figures = permeability(network, halves)
    assert figures["walk_km"].sum() == pytest.approx(network.graph.edge_length.sum() / 1000)
    assert (figures["road_km"] <= figures["walk_km"]).all()
    # Haidian is known for superblocks and walled campuses
    assert (figures["block_ha_largest"] > 5).all()
    assert figures["detour_mean"].between(1.1, 2.2).all()


def test_examples():
    failed, tried = doctest.testmod(gridmap.coverage.permeability.permeability)
    assert (failed, tried > 0) == (0, True)
