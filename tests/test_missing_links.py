"""Missing links: every pair of nodes tried on a networkx graph with the link in it, and what may not be crossed."""

from __future__ import annotations

import doctest
import itertools

import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import example, given, settings
from hypothesis import strategies as st
from network_oracle import distances, edges_of, legs
from pandas.testing import assert_frame_equal
from shapely import LineString, Point, Polygon
from small_towns import CRS, at, random_town

import gridmap as gm
import gridmap.coverage.permeability.missing_links as module
from gridmap.coverage.counting.cover import cover
from gridmap.coverage.permeability.missing_links import missing_links
from gridmap.errors import OptionError

seeds = st.integers(0, 2**32 - 1)
NODES = {"spacing": 1e9}  # links between nodes alone


def every_link(homes, services, streets, limits, *, longest, detour, saving):
    """(score, metres, line) of every link that gains, by adding it to the graph, best first.

    Those with a better one within `longest` are left out.
    """
    edges = [(a, b, LineString([a, b])) for a, b in edges_of(streets.geometry)]
    home_legs = [legs(point, edges, 50) for point in homes.geometry]
    service_legs = [legs(point, edges, 50) for point in services.geometry]
    names = sorted(limits)
    columns = [np.flatnonzero(services["category"] == name) for name in names]
    limit = np.array([limits[name] for name in names])

    def nearest(more):
        way = distances([*edges, *more], home_legs, service_legs)
        return np.column_stack([way[:, c].min(axis=1, initial=np.inf) for c in columns])

    graph = nx.Graph()
    for a, b, line in edges:
        graph.add_edge(a, b, w=line.length)
    now, weight, found = nearest([]), homes["households"].to_numpy()[:, None], []
    for a, b in itertools.combinations(graph, 2):
        link = LineString([a, b])
        if link.length > longest or any(link.crosses(line) for _, _, line in edges):
            continue
        if nx.has_path(graph, a, b) and nx.dijkstra_path_length(graph, a, b, "w") < detour * link.length:
            continue
        then = nearest([(a, b, link.length)])
        if saving:
            score = (weight * (np.minimum(now, limit) - np.minimum(then, limit))).sum()
        else:
            score = (weight * ((now > limit) & (then <= limit))).sum()
        if score > 1e-9:
            found.append((score, link.length, link))
    found.sort(key=lambda one: (-one[0], one[1]))
    return [one for i, one in enumerate(found) if all(one[2].distance(better[2]) >= longest for better in found[:i])]


@settings(max_examples=12, deadline=None, derandomize=True)
@given(seed=seeds, saving=st.booleans())
@example(seed=5750, saving=False)
def test_links_and_gains_are_those_of_networkx(seed, saving):
    homes, services, streets = random_town(seed, side=4, buildings=14, facilities=3, keep=0.65, spacing=80)
    homes["households"] += 1
    limits = {"clinic": 160.0, "school": 220.0}
    options = {"longest": 90.0, "detour": 2.0}
    expected = every_link(homes, services, streets, limits, saving=saving, **options)
    tables, options["objective"] = (homes, services, streets), "saved" if saving else "covered"
    # one at a time, so that bounds decide what is worked out
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_BATCH", 1)
        links = missing_links(*tables, metres=limits, count=1000, **NODES, **options)
        first = missing_links(*tables, metres=limits, count=1, **NODES, **options)
    column = "saved" if saving else "gained"
    np.testing.assert_allclose(links[column], [score for score, _, _ in expected], rtol=1e-9)
    np.testing.assert_allclose(links["metres"], [length for _, length, _ in expected])
    assert all(a.equals(b[2]) or a.reverse().equals(b[2]) for a, b in zip(links.geometry, expected, strict=True))
    assert_frame_equal(first, links.head(1))
    assert first.attrs["evaluated"] <= links.attrs["evaluated"]


@settings(max_examples=10, deadline=None, derandomize=True)
@given(seed=seeds, saving=st.booleans())
def test_no_link_brings_more_than_its_bound_and_the_best_brings_it(seed, saving):
    homes, services, streets = random_town(seed, side=5, buildings=30, facilities=4, keep=0.65)
    network = gm.StreetNetwork.from_streets(streets)
    weight = homes["households"].to_numpy(dtype=float)
    everything = np.ones(len(services), dtype=bool)
    for limits in ({"clinic": 200.0}, {"clinic": 180.0, "school": 240.0}):
        today = module._stand(network, homes, services, everything, limits, "metres", weight, 25.0)
        shapes = np.asarray(homes.geometry.array)
        barred = module.find_obstacles(network, shapes, (), shapes[:0])
        links, _ = module._candidates(today, shapes, saving, 90.0, 2.0, barred, walls=True)
        bound = module.bounds(today, links, saving=saving)
        score = [g.saved if saving else g.by_category.sum() for g in module.gains(today, links)] if len(bound) else []
        assert (np.array(score) <= bound + 1e-6).all()
        if len(limits) == 1:
            # each end has its best link, so in one category the highest bound is what that link brings
            assert max(score, default=0) == pytest.approx(bound.max(initial=0))


@settings(max_examples=8, deadline=None, derandomize=True)
@given(seed=seeds)
def test_streets_with_the_link_cover_at_least_as_many(seed):
    homes, services, streets = random_town(seed, side=6, buildings=60, facilities=4, keep=0.6)
    network = gm.StreetNetwork.from_streets(streets)
    links = missing_links(homes, services, network, minutes=3, count=3)
    before = cover(homes, services, network, minutes=3).rate()["covered"].sum()
    for rank, (gained, people, drawn) in enumerate(links[["gained", "people", "draws"]].to_numpy().tolist()):
        joined = network.with_changes(add=links.iloc[[rank]][["geometry"]])
        after = cover(homes, services, joined, minutes=3).rate()["covered"].sum()
        # homes beside the link also get out onto it
        # whom no street is in range of holds on to the nearest one, and the link may be that: `draws` counts them
        assert drawn or after - before >= gained - 1e-6
        assert gained >= people > 0


def two_streets(**extra):
    """Two streets joined in the west alone; homes along the upper one, a shop below the lower one's east end."""
    streets = gpd.GeoDataFrame(
        {"class": "residential", "name": ["lower", "upper", "west"]},
        geometry=[LineString(at(xy)) for xy in ([[0, 0], [400, 0]], [[0, 60], [400, 60]], [[0, 0], [0, 60]])],
        crs=CRS,
    )
    homes = gpd.GeoDataFrame(
        {"building_id": [f"b{i}" for i in range(5)], "households": [1, 2, 4, 8, 16]},
        geometry=shapely.points(at([[x, 70] for x in (50, 150, 250, 350, 390)])),
        crs=CRS,
    )
    shop = gpd.GeoDataFrame(
        {"facility_id": ["s"], "category": ["shop"]}, geometry=shapely.points(at([[350, -5]])), crs=CRS
    )
    return missing_links(homes, shop, streets, metres=300, **extra)


def shape(*corners):
    return [Polygon(at(corners))]


RIVER = gpd.GeoDataFrame({"kind": ["river"]}, geometry=[LineString(at([[200, 30], [600, 30]]))], crs=CRS)
COMPOUND = gpd.GeoDataFrame({"compound_id": ["c"]}, geometry=shape([200, 20], [500, 20], [500, 40], [200, 40]), crs=CRS)
GATES = gpd.GeoDataFrame(
    {"entrance_id": ["g"], "of": ["compound"], "of_id": ["c"]}, geometry=shapely.points(at([[500, 30]])), crs=CRS
)


def test_the_best_link_stands_where_most_come_within_reach():
    best = two_streets().iloc[0]
    # today all walk west and back; with a rung at x the home at 150 walks 10 + (x - 150) + 60 + (350 - x) + 5 = 275 m,
    # the one at 50 still 375 m, and those in the east come by a rung that is not too far west
    assert (best["gained"], best["people"], best["categories"]) == (30, 30, "shop 30")
    assert best["metres"] == pytest.approx(60)
    assert {best["from_street"], best["to_street"]} == {"lower", "upper"}
    x = best.geometry.coords[0][0] - at([0, 0])[0]
    assert best["way_metres"] == pytest.approx(60 + 2 * x)
    assert best["saved"] > 0


@pytest.mark.parametrize(
    ("kind", "extra"),
    [("barriers", {"barriers": RIVER}), ("walls", {"compounds": COMPOUND, "entrances": GATES})],
)
def test_what_bars_the_way_is_crossed_only_when_told(kind, extra):
    shut = two_streets(**extra)
    x = shapely.get_coordinates(shut.geometry)[:, 0] - at([0, 0])[0]
    assert x.max() <= 200 + 1e-6
    assert shut["gained"].max() < 30
    assert_frame_equal(two_streets(across=[kind], **extra).iloc[:1], two_streets().iloc[:1])


def test_other_obstacles_bar_it_whatever_is_told():
    cliff = two_streets(obstacles=RIVER.to_crs(4326))
    assert cliff["gained"].max() < 30
    assert_frame_equal(cliff, two_streets(barriers=RIVER))
    assert_frame_equal(two_streets(obstacles=RIVER, across=["barriers", "walls"]), two_streets(obstacles=RIVER))


@pytest.mark.parametrize(("far", "draws"), [(55, 0), (49, 0), (-58, 1)])
def test_a_link_says_whom_it_draws_from_the_street_they_are_on(far, draws):
    """A school 60 m off the street, or a metre more or less, and the new link nearer to it, or not."""
    lines = [LineString(at(xy)) for xy in ([[0, 0], [400, 0]], [[0, 60], [400, 60]], [[0, 0], [0, 60]])]
    streets = gpd.GeoDataFrame(geometry=[*lines, LineString(at([[400, 0], [400, -300]]))], crs=CRS)
    home = gpd.GeoDataFrame({"building_id": ["a"], "households": [9]}, geometry=[Point(at([398, 65]))], crs=CRS)
    services = gpd.GeoDataFrame(
        {"facility_id": ["s", "t"], "category": ["shop", "shop"]},
        geometry=[Point(at([398, -5])), Point(at([400 + abs(far), 25 if far < 0 else -200]))],
        crs=CRS,
    )
    link = missing_links(home, services, streets, metres=300, count=1, objective="saved").iloc[0]
    assert link["gained"] == 9
    # 58 m beside the link is 63 m from the end of the street below; beside the street to the south is nearer to that
    assert link["draws"] == draws


def test_a_footprint_bars_the_way():
    house = gpd.GeoDataFrame(
        {"building_id": ["h"], "households": [0]}, geometry=shape([190, 20], [500, 20], [500, 40], [190, 40]), crs=CRS
    )
    lines = [LineString(at(xy)) for xy in ([[0, 0], [400, 0]], [[0, 60], [400, 60]], [[0, 0], [0, 60]])]
    streets = gpd.GeoDataFrame(geometry=lines, crs=CRS)
    home = gpd.GeoDataFrame({"building_id": ["a"], "households": [9]}, geometry=[Point(at([400, 65]))], crs=CRS)
    shop = gpd.GeoDataFrame({"facility_id": ["s"], "category": ["shop"]}, geometry=[Point(at([400, -5]))], crs=CRS)
    both = pd.concat([home, house], ignore_index=True)
    assert missing_links(home, shop, streets, metres=300)["gained"].tolist() == [9]
    assert missing_links(both, shop, streets, metres=300).empty
    assert missing_links(both, shop, streets, metres=300, across=["buildings"])["gained"].tolist() == [9]


def test_a_wall_between_two_loose_ends_at_one_place_is_no_link():
    """A street cut by a wall has two ends at the same place: joining them is opening the wall."""
    streets = gpd.GeoDataFrame(geometry=[LineString(at([[0, 0], [400, 0]]))], crs=CRS)
    yard = gpd.GeoDataFrame(
        {"compound_id": ["c"]}, geometry=shape([100, -50], [300, -50], [300, 50], [100, 50]), crs=CRS
    )
    gate = gpd.GeoDataFrame(
        {"entrance_id": ["g"], "of": ["compound"], "of_id": ["c"]}, geometry=[Point(at([300, 0]))], crs=CRS
    )
    home = gpd.GeoDataFrame({"building_id": ["a"], "households": [9]}, geometry=[Point(at([120, 5]))], crs=CRS)
    shop = gpd.GeoDataFrame({"facility_id": ["s"], "category": ["shop"]}, geometry=[Point(at([50, 5]))], crs=CRS)
    tables = {"compounds": yard, "entrances": gate}
    assert missing_links(home, shop, streets, metres=300, **tables).empty
    opened = missing_links(home, shop, streets, metres=300, across=["walls"], **tables)
    assert opened["gained"].tolist() == [9]
    assert opened["metres"].tolist() == pytest.approx([0], abs=1e-6)
    assert opened["way_metres"].isna().all()


def test_a_link_over_a_motorway_says_so():
    homes, services, streets = random_town(1)
    streets = gpd.GeoDataFrame(
        {"class": ["residential", "residential", "motorway"]},
        geometry=[LineString(at(xy)) for xy in ([[0, 0], [400, 0]], [[0, 60], [400, 60]], [[-90, 30], [900, 30]])],
        crs=CRS,
    )
    home, shop = homes.iloc[:1].copy(), services.iloc[:1].copy()
    home["households"] = 7
    home.geometry, shop.geometry = [Point(at([200, 62]))], [Point(at([200, -5]))]
    link = missing_links(home, shop, streets, metres=300).iloc[0]
    assert (link["crosses"], link["gained"], link["rank"]) == ("motorway", 7, 1)


def test_no_listed_link_lies_near_a_better_one_and_none_is_longer_or_more_direct_than_told():
    homes, services, streets = random_town(11, side=9, buildings=150, facilities=3, keep=0.55)
    links = missing_links(homes, services, streets, minutes=4, longest=80, detour=2.5, apart=120, count=6)
    assert len(links) > 2
    assert (links["metres"] <= 80).all()
    assert (links["way_metres"].fillna(np.inf) >= 2.5 * links["metres"]).all()
    assert links["gained"].is_monotonic_decreasing
    lines = np.asarray(links.geometry.array)
    pairs = itertools.combinations(range(len(lines)), 2)
    assert min(shapely.distance(lines[i], lines[j]) for i, j in pairs) >= 120
    # and they are all the same, fewer asked or rows in another order
    few = missing_links(homes, services, streets, minutes=4, longest=80, detour=2.5, apart=120, count=2)
    assert_frame_equal(few, links.head(2))
    other = missing_links(
        homes.iloc[::-1], services.iloc[::-1], streets.iloc[::-1], minutes=4, longest=80, detour=2.5, apart=120, count=6
    )
    assert_frame_equal(other, links)


def test_nothing_to_gain_is_an_empty_table():
    homes, services, streets = random_town(2, keep=1.0)
    links = missing_links(homes, services, streets, minutes=60)
    assert links.empty
    assert {"rank", "gained", "geometry"} <= set(links.columns)
    assert links.attrs["thresholds"] == {"clinic": 60.0, "school": 60.0}
    nowhere = missing_links(homes, services, streets, minutes={"bank": 5})
    assert nowhere.empty


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"objective": "cheap"}, "objective"),
        ({"across": ["fences"]}, "across"),
        ({"across": "walls"}, "across"),
        ({"longest": 0}, "longest"),
        ({"detour": -1}, "detour"),
        ({"count": 0}, "count"),
        ({"minutes": 5, "metres": 300}, "at most one"),
        ({"weight": "elderly"}, "elderly"),
    ],
)
def test_impossible_options_are_refused(options, words):
    with pytest.raises(OptionError, match=words):
        missing_links(*random_town(2), **options)


def test_links_of_the_sample_town(sample_dir):
    town = gm.read_project(sample_dir / "project.toml").tables
    tables = {name: town[name] for name in ("barriers", "compounds", "entrances")}
    network = gm.StreetNetwork.from_streets(town["streets"], **tables)
    links = missing_links(town["buildings"], town["facilities"], network, metres=300, across=["barriers"], count=3)
    river = town["barriers"].to_crs(links.crs).union_all()
    # the town has a river with few bridges: the best link is one more
    assert links.geometry.iloc[0].crosses(river)
    assert links.crs == town["buildings"].crs
    dry = missing_links(town["buildings"], town["facilities"], network, metres=300, count=3)
    assert not dry.geometry.crosses(river).any()
    assert dry["gained"].iloc[0] < links["gained"].iloc[0]


def test_examples():
    failed, tried = doctest.testmod(module)
    assert (failed, tried > 0) == (0, True)
