"""Greenways: who is linked on slow streets, by networkx; connectors by trying every pair of nodes; real cities."""

from __future__ import annotations

import doctest
import json

import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from network_oracle import distances, edges_of, legs
from pandas.testing import assert_frame_equal
from shapely import LineString, Point, box
from small_towns import CRS, at, plain_distances, random_town
from test_missing_links import every_link

import gridmap as gm
import gridmap.coverage.greenways.connectors
import gridmap.coverage.greenways.greenways
from gridmap.coverage.greenways.slow_streets import SLOW_CLASSES, is_slow
from gridmap.errors import OptionError
from gridmap.network.profiles import usable_streets

seeds = st.integers(0, 2**32 - 1)
few = settings(max_examples=10, deadline=None, derandomize=True)
LIMITS = {"clinic": 220.0, "school": 300.0}


def slow_town(seed, *, share=0.65, **options):
    """A random town, some of whose streets are footways; and its three communities, strips from west to east."""
    homes, services, streets = random_town(seed, **options)
    rng = np.random.default_rng(seed)
    streets["class"] = np.where(rng.random(len(streets)) < share, "footway", "residential")
    streets.loc[0, "class"] = "footway"
    streets["stairs"] = False
    low, high = streets.total_bounds[:2] - 200, streets.total_bounds[2:] + 200
    cuts = np.linspace(low[0], high[0], 4)
    strips = [box(cuts[i], low[1], cuts[i + 1], high[1]) for i in range(3)]
    return homes, services, streets, gpd.GeoDataFrame({"community_id": ["a", "b", "c"]}, geometry=strips, crs=CRS)


def near(table, streets):
    """Those with a slow street within 50 m."""
    return table.geometry.distance(streets[streets["class"] == "footway"].union_all()).to_numpy() <= 50


def oracle(homes, services, streets):
    """Metres from each home to each facility, infinite for those without a street within range, by networkx."""
    edges = [(a, b, LineString([a, b])) for a, b in edges_of(streets.geometry)]
    within = [
        [[leg for leg in legs(point, edges, 50) if leg[2] <= 50] for point in table.geometry]
        for table in (homes, services)
    ]
    return distances(edges, *within)


@few
@given(seed=seeds)
def test_the_linked_are_those_of_networkx(seed):
    homes, services, streets, strips = slow_town(seed, keep=0.85)
    found = gm.greenways(strips, homes, streets, services, metres=LIMITS)
    way = oracle(homes, services, streets[streets["class"] == "footway"])
    strip = np.searchsorted(shapely.bounds(strips.geometry)[1:, 0], shapely.get_x(homes.geometry), side="right")
    people = homes["households"].to_numpy(dtype=float)
    total = np.bincount(strip, people, 3)
    np.testing.assert_allclose(found["total"], total)
    for category, limit in LIMITS.items():
        of = (services["category"] == category).to_numpy()
        met = way[:, of].min(axis=1, initial=np.inf) <= limit
        with np.errstate(invalid="ignore"):
            np.testing.assert_allclose(found[f"{category}_slow"], np.bincount(strip, people * met, 3) / total)
    on = near(homes, streets)
    np.testing.assert_allclose(
        found["near_slow"], np.bincount(strip, people * on, 3) / np.where(total > 0, total, np.nan)
    )


@few
@given(seed=seeds)
def test_nobody_is_lost_and_any_street_links_at_least_as_many(seed):
    homes, services, streets, strips = slow_town(seed)
    found = gm.greenways(strips.iloc[:2], homes, streets, services, minutes=4)
    linked, outside = found.attrs["linked"], found.attrs["outside"]
    for _, own in linked.groupby("category"):
        assert own["total"].sum() + outside["households"] == homes["households"].sum()
    assert (linked["slow"] <= linked["any"]).all()
    assert (linked["any"] <= linked["total"]).all()
    assert len(linked) == 4
    cover = gm.cover(homes, services, streets, minutes=4).rate(by=strips.iloc[:2])
    np.testing.assert_allclose(linked["any"], cover["covered"])
    told = set(found.attrs["findings"]["rule"])
    assert ("building_outside" in told) == bool(outside["buildings"])
    # and rows in another order say the same
    other = gm.greenways(strips.iloc[1::-1], homes.iloc[::-1], streets.iloc[::-1], services.iloc[::-1], minutes=4)
    assert_frame_equal(pd.DataFrame(other), pd.DataFrame(found))


@few
@given(seed=seeds)
def test_a_connector_links_at_least_those_it_says_and_cuts_nobody_off(seed):
    homes, services, streets, strips = slow_town(seed, side=6, buildings=60, facilities=4, share=0.5)
    network = gm.StreetNetwork.from_streets(streets)
    links = gm.missing_connectors(homes, network, services, minutes=4, count=3, detour=1.5)
    before = gm.greenways(strips, homes, network, services, minutes=4).attrs["linked"]
    for rank in range(len(links)):
        joined = network.with_changes(add=links.iloc[[rank]][["geometry"]].assign(**{"class": "path"}))
        after = gm.greenways(strips, homes, joined, services, minutes=4).attrs["linked"]
        assert (after["slow"] >= before["slow"] - 1e-9).all()
        assert after["slow"].sum() - before["slow"].sum() >= links["gained"].iloc[rank] - 1e-6


@few
@given(seed=seeds)
def test_connectors_are_those_of_trying_every_pair(seed):
    homes, services, streets, _ = slow_town(seed, side=4, buildings=14, facilities=3, spacing=80, keep=0.9, share=0.5)
    homes["households"] += 1
    slow = streets[streets["class"] == "footway"]
    own = homes[near(homes, streets)].reset_index(drop=True), services[near(services, streets)].reset_index(drop=True)
    links = gm.missing_connectors(
        homes, streets, services, metres=LIMITS, max_gap=90, detour=2.0, count=1000, spacing=1e9
    )
    expected = every_link(*own, slow, LIMITS, longest=90.0, detour=2.0, saving=False) if min(map(len, own)) else []
    np.testing.assert_allclose(links["gained"], [score for score, _, _ in expected], rtol=1e-9)
    np.testing.assert_allclose(links["metres"], [length for _, length, _ in expected])


def streets_of(**lines):
    return gpd.GeoDataFrame(
        {"class": [name.rstrip("0123456789") for name in lines]},
        geometry=[LineString(at(xy)) for xy in lines.values()],
        crs=CRS,
    )


TWO = streets_of(
    footway=[[0, 0], [180, 0]], footway1=[[200, 0], [500, 0]], primary=[[190, -90], [190, 90]],
    primary1=[[180, 0], [200, 0]], cycleway=[[0, 80], [500, 80]],
)  # fmt: skip
HOMES = gpd.GeoDataFrame(
    {"building_id": ["w", "e", "n"], "households": [30, 10, 7], "residents": [90, 20, 10]},
    geometry=shapely.points(at([[10, 5], [300, 5], [450, 200]])),
    crs=CRS,
)
PARK = gpd.GeoDataFrame({"facility_id": ["p"], "category": ["park"]}, geometry=[Point(at([400, -5]))], crs=CRS)
HALVES = gpd.GeoDataFrame(
    {"community_id": ["w", "e"], "name": ["West", "East"]},
    geometry=[shapely.transform(box(x, -99, x + 250, 299), at) for x in (0, 250)],
    crs=CRS,
)


def test_a_town_that_anybody_can_work_out():
    found = gm.greenways(HALVES, HOMES, TWO, PARK, metres=600).set_index("community_id")
    # the cycleway is slow, but nobody walks on it; the home in the north is 200 m from the next slow street
    assert found["slow_metres"].sum() == pytest.approx(180 + 300 + 500)
    # to a metre for each street over the border
    assert found.loc["w", "slow_metres"] == pytest.approx(180 + 50 + 250, abs=1)
    assert found.loc["e", "slow_metres_each"] == found.loc["e", "slow_metres"] / 17
    assert found["greenway_metres"].isna().all()
    assert found.loc["w", ["park_slow", "park_any"]].tolist() == [0, 1]
    assert found.loc["e", ["park_slow", "park_any"]].tolist() == pytest.approx([10 / 17, 1])
    assert found.loc["e", "near_slow"] == pytest.approx(10 / 17)
    # the longer footway is piece 1, and the park stands on it
    assert found["piece"].tolist() == [1, 2]
    assert found["piece_metres"].tolist() == pytest.approx([300, 180])
    assert found["pieces"].tolist() == [1, 2]
    assert found["isolated_metres"].tolist() == pytest.approx([0, 180])
    told = found.attrs["findings"].set_index("rule")
    assert set(told.index) == {"community_not_linked", "greenways_unknown"}
    assert told.loc["community_not_linked", "ids"] == ["w"]
    assert json.loads(told.loc["community_not_linked", "certificate"]) == {"reach_it": 30.0}
    link = gm.missing_connectors(HOMES, TWO, PARK, metres=600).iloc[0]
    assert (link["gained"], link["from_piece"], link["to_piece"], link["crosses"]) == (30, 2, 1, "primary")
    assert link["metres"] == pytest.approx(20)
    assert np.isnan(link["way_metres"])


def test_a_barrier_bars_a_connector():
    wall = gpd.GeoDataFrame({"kind": ["river"]}, geometry=[LineString(at([[185, -300], [185, 300]]))], crs=CRS)
    assert gm.missing_connectors(HOMES, TWO, PARK, metres=600, barriers=wall).empty
    over = gm.missing_connectors(HOMES, TWO, PARK, metres=600, barriers=wall, across=["barriers"])
    assert over["gained"].tolist() == [30]
    house = gpd.GeoDataFrame(
        {"building_id": ["x"], "households": [0], "residents": [0]},
        geometry=[box(*at([183, -99]), *at([187, 99])).buffer(0)],
        crs=CRS,
    )
    # a footprint bars it too, one that is itself far from slow streets as well
    far = house.assign(geometry=[box(*at([183, -99]), *at([187, 900]))])
    assert len(gm.missing_connectors(pd.concat([HOMES, house]), TWO, PARK, metres=600)) == 0
    assert len(gm.missing_connectors(pd.concat([HOMES, far]), TWO, PARK, metres=600)) == 0
    assert len(gm.missing_connectors(pd.concat([HOMES, far]), TWO, PARK, metres=600, across=["buildings"])) == 1


def test_a_crossing_on_the_map_joins_what_a_carriageway_parts():
    joined = pd.concat([TWO, streets_of(footway=[[180, 0], [200, 0]])], ignore_index=True)
    found = gm.greenways(HALVES, HOMES, joined, PARK, metres=600).set_index("community_id")
    assert found.loc["w", "park_slow"] == 1
    assert found["pieces"].tolist() == [1, 1]


def test_greenways_are_known_by_column_or_class_and_counted_by_head():
    marked = TWO.assign(greenway=[None, "yes", None, None, "no"])
    found = gm.greenways(HALVES, HOMES, marked, PARK, metres=600, weight="residents").set_index("community_id")
    assert found["greenway_metres"].tolist() == pytest.approx([250, 50], abs=1)
    assert found["greenway_metres_each"].tolist() == pytest.approx([250 / 30, 50 / 90], abs=0.05)
    assert found.attrs["denominator"] == "residents"
    classed = TWO.assign(**{"class": ["footway", "greenway", "primary", "primary", "cycleway"]})
    assert gm.greenways(HALVES, HOMES, classed, PARK)["greenway_metres"].tolist() == pytest.approx([250, 50], abs=1)
    # what is marked is slow whatever its class, and others are when told
    road = TWO.assign(greenway=[None, None, None, "yes", None])
    assert gm.greenways(HALVES, HOMES, road, PARK, metres=600).set_index("community_id").loc["w", "park_slow"] == 1
    calm = gm.greenways(HALVES, HOMES, TWO, PARK, metres=600, classes=[*SLOW_CLASSES, "primary"])
    assert calm.set_index("community_id").loc["w", "park_slow"] == 1


def test_a_cyclist_goes_on_cycleways():
    on_foot = gm.greenways(HALVES, HOMES, TWO, PARK, minutes=15)
    by_bicycle = gm.greenways(HALVES, HOMES, TWO, PARK, minutes=15, profile="cyclist")
    assert on_foot["slow_metres"].tolist() == by_bicycle["slow_metres"].tolist()
    assert by_bicycle["piece_metres"].tolist() == [500, 500]
    assert by_bicycle["near_slow"].tolist() == [0, 0]


def test_a_town_without_slow_streets_or_without_parks_is_told():
    roads = TWO.assign(**{"class": "residential"})
    found = gm.greenways(HALVES, HOMES, roads, PARK)
    assert found[["slow_metres", "park_slow", "near_slow", "pieces"]].to_numpy().tolist() == [[0, 0, 0, 0]] * 2
    assert found["piece"].isna().all()
    assert {"community_without_slow_streets", "community_not_linked"} <= set(found.attrs["findings"]["rule"])
    assert gm.missing_connectors(HOMES, roads, PARK).empty
    none = gm.greenways(HALVES, HOMES, TWO, PARK, categories=["rail_station"])
    assert none["rail_station_any"].tolist() == [0, 0]
    assert "category_not_offered" in set(none.attrs["findings"]["rule"])
    assert set(gm.missing_connectors(HOMES, TWO, PARK, categories=["rail_station"]).columns) >= {"gained", "from_piece"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"streets": TWO.drop(columns="class")}, "neither class nor greenway"),
        ({"metres": 0}, "metres"),
        ({"weight": "elderly"}, "elderly"),
    ],
)
def test_what_cannot_work_is_refused(change, words):
    tables = {"communities": HALVES, "buildings": HOMES, "streets": TWO, "facilities": PARK, **change}
    with pytest.raises(OptionError, match=words):
        gm.greenways(**tables)
    tables.pop("communities")
    with pytest.raises(OptionError, match=words):
        gm.missing_connectors(**tables)


@pytest.mark.parametrize("city", ["beijing_tsinghua", "beijing_cau"])
def test_beijing_again_by_networkx(city, data_dir):
    """Pieces, lengths and who is linked, from the vertices of the extract."""
    path = data_dir / city / "map.osm.pbf"
    streets = gm.read_streets(path)
    streets = streets.to_crs(streets.estimate_utm_crs())
    homes = gm.read_buildings(path).to_crs(streets.crs)
    homes = homes.assign(geometry=homes.representative_point(), households=1 + np.arange(len(homes)) % 7)
    spots = gm.read_facilities(path).to_crs(streets.crs)
    spots = spots.assign(geometry=spots.representative_point())
    category = spots["category"].value_counts().sort_index().idxmax()
    spots = spots[spots["category"] == category]
    area = gpd.GeoDataFrame(
        {"community_id": ["all"]}, geometry=[box(*streets.total_bounds).buffer(500)], crs=streets.crs
    )
    found = gm.greenways(area, homes, streets, spots, metres=800).iloc[0]
    walked = gm.StreetNetwork.from_streets(streets)
    slow = walked.lines.iloc[walked.usable_rows]
    slow = slow[slow["class"].isin(["footway", "path", "pedestrian", "steps", "living_street", "bridleway"])]
    graph = nx.MultiGraph()
    for ids, line in zip(slow["node_ids"], slow.geometry, strict=True):
        for u, v, a, b in zip(ids[:-1], ids[1:], line.coords[:-1], line.coords[1:], strict=True):
            graph.add_edge(u, v, metres=np.hypot(a[0] - b[0], a[1] - b[1]))
    sizes = [sum(d for *_, d in graph.subgraph(c).edges(data="metres")) for c in nx.connected_components(graph)]
    assert found["pieces"] == sum(size >= 1 for size in sizes) > 3
    assert found["piece_metres"] == pytest.approx(max(sizes))
    assert (streets.loc[is_slow(streets, SLOW_CLASSES)].length.sum()) == pytest.approx(found["slow_metres"])
    points = [shapely.get_coordinates(table.geometry) for table in (homes, spots)]
    lines = [np.asarray(line.coords) for line in slow.geometry]
    way = plain_distances(*points, lines, node_ids=[list(ids) for ids in slow["node_ids"]])
    ground = slow.union_all()
    on_home, on_spot = (table.distance(ground).to_numpy() <= 50 for table in (homes, spots))
    met = on_home & (np.where(on_spot, way, np.inf).min(axis=1) <= 800)
    people = homes["households"].to_numpy()
    assert 0 < met.sum() < len(met)
    assert found[f"{category}_slow"] == pytest.approx(people[met].sum() / people.sum(), abs=1e-12)


def test_cycleways_of_las_palmas_by_community(data_dir):
    """Metres by cutting each line with each polygon, and pieces by shared node ids."""
    path = data_dir / "las_palmas" / "las_palmas_20230221.osm.pbf"
    streets = gm.read_streets(path).to_crs(32628)
    ways = streets[streets["class"] == "cycleway"]
    areas = gm.read_communities(data_dir / "las_palmas" / "communities_4000.gpkg").to_crs(32628)
    homes = gpd.GeoDataFrame(
        {"building_id": areas["community_id"], "households": 1}, geometry=areas.representative_point(), crs=32628
    )
    spot = gpd.GeoDataFrame(
        {"facility_id": ["s"], "category": ["park"]}, geometry=[Point(ways.geometry.iloc[0].coords[0])], crs=32628
    )
    found = gm.greenways(areas, homes, streets, spot, classes=["cycleway"], profile="cyclist", minutes=15)
    cut = [ways.intersection(area).length.sum() for area in areas.sort_values("community_id").geometry]
    # cycleways that run along a border are shared between both sides
    assert found["slow_metres"].sum() <= ways.length.sum() + 1e-6
    assert found["slow_metres"].sum() == pytest.approx(sum(cut), rel=0.01)
    apart = np.abs(found["slow_metres"] - cut)
    inner = areas.sort_values("community_id").boundary.distance(ways.union_all()).to_numpy() > 1
    assert (apart[inner] < 1e-6).all()
    assert np.isfinite(cut).all()
    graph = nx.Graph()
    for ids in ways["node_ids"]:
        nx.add_path(graph, ids)
    assert found["piece"].dropna().max() <= nx.number_connected_components(graph)
    ridden = ways[usable_streets(ways, "cycle")]
    has_any = [ridden.intersection(area).length.sum() >= 1 for area in areas.sort_values("community_id").geometry]
    assert (found["piece"].notna() | ~np.array(has_any)).all()
    assert found["piece"].notna().sum() <= sum(length >= 1 for length in found["slow_metres"])


@pytest.mark.parametrize("module", [gridmap.coverage.greenways.greenways, gridmap.coverage.greenways.connectors])
def test_examples(module):
    failed, tried = doctest.testmod(module)
    assert (failed, tried > 0) == (0, True)
