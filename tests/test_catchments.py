"""Catchments with capacities: every assignment tried on small towns, networkx for flows and for what hangs together."""

from __future__ import annotations

import doctest
import itertools
import json

import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from scipy.spatial import Delaunay
from shapely import LineString
from small_towns import CRS, at, random_town

import gridmap as gm
import gridmap.siting.capacity.catchments
from gridmap.errors import OptionError
from gridmap.siting.capacity import transport
from gridmap.siting.capacity.local_moves import Question, settle
from gridmap.siting.solve.pairs import make_pairs

seeds = st.integers(0, 2**32 - 1)
few = settings(max_examples=8, deadline=None, derandomize=True)


def town(seed, *, buildings=25, facilities=6, room=0.8, **options):
    """A random town with children, and schools that have places for a part of them."""
    homes, services, streets = random_town(
        seed, buildings=buildings, facilities=facilities, categories=("school",), keep=0.9, **options
    )
    rng = np.random.default_rng(seed)
    homes["children"] = rng.integers(1, 30, buildings)
    share = rng.dirichlet(np.ones(facilities))
    services["capacity"] = np.floor(share * homes["children"].sum() * room)
    return homes, services, streets


def ways(homes, services, streets, metres):
    """Metres between all that are within reach of each other: {(building, facility): metres}."""
    reach = gm.cover(homes, services, streets, metres=metres, k=len(services)).reach
    reach = reach[reach["covered"]]
    return dict(zip(zip(reach["building_id"], reach["facility_id"], strict=True), reach["metres"], strict=True))


def check(found, homes, services, way):
    """What always holds: nobody lost, nobody twice, no place given twice, ways as they are."""
    placed = found[found["status"] == "placed"]
    got = found.groupby("building_id")["count"].sum().reindex(homes["building_id"], fill_value=0)
    np.testing.assert_allclose(got, homes["children"])
    load = placed.groupby("facility_id")["count"].sum().reindex(services["facility_id"], fill_value=0)
    assert (load.to_numpy() <= services["capacity"].to_numpy() + 1e-6).all()
    pairs = list(zip(placed["building_id"], placed["facility_id"], strict=True))
    np.testing.assert_allclose(placed["metres"], [way[pair] for pair in pairs], atol=1e-6)
    assert len(set(pairs)) == len(pairs)
    told = found.attrs
    assert told["placed"] == pytest.approx(placed["count"].sum())
    assert told["cost"] == pytest.approx((placed["count"] * placed["metres"]).sum())
    assert told["placed"] <= told["most_placed"] + 1e-6
    if told["placed"] >= told["most_placed"] - 1e-6:
        assert told["cost"] >= told["bound"] - 1e-6
        assert told["gap"] == pytest.approx(
            max(0.0, 1 - told["bound"] / told["cost"]) if told["cost"] else 0.0, abs=1e-9
        )
    else:
        assert np.isnan(told["gap"])
    reached = {building for building, _ in way}
    rest = found[found["status"] != "placed"]
    assert rest["facility_id"].isna().all()
    assert (rest["building_id"].isin(reached) == (rest["status"] == "no_place")).all()
    np.testing.assert_allclose(told["facilities"]["assigned"], load[told["facilities"]["facility_id"]])


@few
@given(seed=seeds, room=st.sampled_from([0.3, 0.8, 1.5]))
def test_split_buildings_go_as_a_flow_of_networkx(seed, room):
    homes, services, streets = town(seed, room=room)
    way = ways(homes, services, streets, 350)
    graph = nx.DiGraph()
    for home in homes.itertuples():
        graph.add_edge("from", home.building_id, capacity=home.children)
    for service in services.itertuples():
        graph.add_edge(service.facility_id, "to", capacity=int(service.capacity))
    for (home, service), metres in way.items():
        graph.add_edge(home, service, weight=round(metres * 1e6))
    flow = nx.max_flow_min_cost(graph, "from", "to")
    found = gm.catchments(homes, services, streets, category="school", metres=350, split=True)
    check(found, homes, services, way)
    assert found.attrs["placed"] == pytest.approx(sum(flow["from"].values()))
    assert found.attrs["cost"] == pytest.approx(nx.cost_of_flow(graph, flow) / 1e6, abs=0.01)
    assert found.attrs["proved"]
    more = services.assign(capacity=services["capacity"] + 5)
    wider = gm.catchments(homes, more, streets, category="school", metres=350, split=True)
    assert wider.attrs["placed"] >= found.attrs["placed"] - 1e-6


def every_assignment(homes, services, way, allowed=None):
    """(placed, cost) of the best assignment of whole buildings, by trying all.

    Where the ground counts, that of a building whose people reach no facility may still join others to one.
    """
    names = services["facility_id"].tolist()
    near = {home for home, _ in way}
    options = [
        [None, *(s for s in names if (home, s) in way or (allowed is not None and home not in near))]
        for home in homes["building_id"]
    ]
    children = homes["children"].to_numpy()
    room = dict(zip(names, services["capacity"], strict=True))
    best = (0, 0.0)
    for chosen in itertools.product(*options):
        load = dict.fromkeys(names, 0)
        placed, cost = 0, 0.0
        for home, count, site in zip(homes["building_id"], children, chosen, strict=True):
            if (home, site) in way:
                load[site] += count
                placed += count
                cost += count * way[home, site]
        better = (placed, -cost) > (best[0], -best[1]) and all(load[s] <= room[s] for s in names)
        if better and (allowed is None or allowed(chosen)):
            best = (placed, cost)
    return best


@few
@given(seed=seeds, room=st.sampled_from([0.6, 1.0]))
def test_whole_buildings_go_where_trying_all_sends_them(seed, room):
    homes, services, streets = town(seed, buildings=6, facilities=3, room=room, side=4)
    way = ways(homes, services, streets, 350)
    found = gm.catchments(homes, services, streets, category="school", metres=350)
    check(found, homes, services, way)
    assert found["building_id"].is_unique
    placed, cost = every_assignment(homes, services, way)
    assert found.attrs["placed"] == placed
    assert found.attrs["cost"] == pytest.approx(cost)
    assert (found.attrs["proved"], found.attrs["method"]) == (True, "exact")
    # rounded instead, it is near that, and no better
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transport, "_EXACT_PAIRS", -1)
        rounded = gm.catchments(homes, services, streets, category="school", metres=350)
    check(rounded, homes, services, way)
    assert rounded.attrs["placed"] <= placed
    if rounded.attrs["placed"] == placed:
        assert rounded.attrs["cost"] >= cost - 1e-6


def delaunay(homes):
    graph = nx.Graph()
    graph.add_nodes_from(homes["building_id"])
    for corners in Delaunay(shapely.get_coordinates(homes.geometry)).simplices:
        graph.add_edges_from(itertools.combinations(homes["building_id"].iloc[corners], 2))
    return graph


def hangs_together(graph, pieces):
    """Whether the pieces of each facility are one connected part of the graph."""
    own = pieces.dropna(subset=["facility_id"]).groupby("facility_id")["piece_id"]
    return all(nx.is_connected(graph.subgraph(part)) for _, part in own)


@few
@given(seed=seeds, room=st.sampled_from([0.6, 1.1]))
@example(seed=2152141, room=1.1)
def test_contiguous_catchments_hang_together_and_are_no_better_than_the_best(seed, room):
    homes, services, streets = town(seed, buildings=6, facilities=3, room=room, side=4)
    way = ways(homes, services, streets, 350)
    graph = delaunay(homes)

    def joined(chosen):
        sites = pd.DataFrame({"piece_id": homes["building_id"], "facility_id": chosen})
        return hangs_together(graph, sites)

    found = gm.catchments(homes, services, streets, category="school", metres=350, contiguous=True)
    check(found, homes, services, way)
    assert hangs_together(graph, found.attrs["pieces"])
    placed, cost = every_assignment(homes, services, way, joined)
    assert found.attrs["placed"] <= placed
    assert found.attrs["placed"] >= 0.7 * placed
    if found.attrs["placed"] == placed:
        assert found.attrs["cost"] >= cost - 1e-6
    free = gm.catchments(homes, services, streets, category="school", metres=350)
    assert found.attrs["placed"] <= free.attrs["placed"] + 1e-6
    if found.attrs["placed"] == pytest.approx(free.attrs["placed"]):
        assert found.attrs["cost"] >= free.attrs["cost"] - 1e-6


def test_contiguous_catchments_are_mostly_the_best_ones():
    best = 0
    for seed in range(12):
        homes, services, streets = town(seed, buildings=6, facilities=3, room=1.0, side=4)
        way = ways(homes, services, streets, 350)
        graph = delaunay(homes)
        names = homes["building_id"]
        found = gm.catchments(homes, services, streets, category="school", metres=350, contiguous=True).attrs
        placed, cost = every_assignment(
            homes, services, way,
            lambda chosen, graph=graph, names=names: hangs_together(
                graph, pd.DataFrame({"piece_id": names, "facility_id": chosen})
            ),
        )  # fmt: skip
        best += found["placed"] == placed and found["cost"] <= cost * (1 + 1e-9) + 1e-6
    assert best >= 8


@settings(max_examples=4, deadline=None, derandomize=True)
@given(seed=seeds)
def test_larger_towns_keep_all_promises(seed):
    homes, services, streets = town(seed, buildings=120, facilities=7, side=8, room=0.95)
    homes.loc[::4, "children"] = 0
    homes.loc[1, "geometry"] = homes.geometry.iloc[0]
    way = ways(homes, services, streets, 450)
    bounds = set()
    for options in ({"split": True}, {}, {"contiguous": True}):
        found = gm.catchments(homes, services, streets, category="school", metres=450, **options)
        check(found, homes, services, way)
        bounds.add(round(found.attrs["bound"], 3))
        if "split" not in options:
            assert found["building_id"].is_unique
            assert found.attrs["placed"] >= 0.9 * found.attrs["most_placed"]
        again = gm.catchments(homes.iloc[::-1], services.iloc[::-1], streets, category="school", metres=450, **options)
        if options.get("contiguous"):
            # twins are neighbours of each other
            graph = delaunay(homes.drop(index=1))
            graph.add_edges_from((homes.building_id[1], other) for other in [*graph["b000"], "b000"])
            assert hangs_together(graph, found.attrs["pieces"])
        assert_frame_equal(again, found)
    assert len(bounds) == 1


def test_buildings_without_children_join_a_catchment():
    """Two homes on either side of an empty block, which is all that joins them."""
    streets = gpd.GeoDataFrame(geometry=[LineString(at([[0, 0], [400, 0]]))], crs=CRS)
    homes = gpd.GeoDataFrame(
        {"building_id": ["a", "m", "z"], "children": [10, 0, 10]},
        geometry=shapely.points(at([[100, 5], [200, 5], [300, 5]])),
        crs=CRS,
    )
    school = gpd.GeoDataFrame(
        {"facility_id": ["s"], "category": ["school"], "capacity": [20]}, geometry=[at_point(200, -5)], crs=CRS
    )
    found = gm.catchments(homes, school, streets, category="school", contiguous=True)
    assert found["building_id"].tolist() == ["a", "z"]
    assert found["status"].tolist() == ["placed", "placed"]
    assert found.attrs["pieces"]["facility_id"].tolist() == ["s", "s", "s"]
    assert found.attrs["pieces"]["piece_id"].tolist() == ["a", "m", "z"]


def at_point(x, y):
    return shapely.Point(at([x, y]))


def test_a_piece_moves_on_to_let_another_in():
    # piece 0 reaches site 0 alone, which piece 1 fills; it can go to site 1
    pairs = make_pairs(np.array([0, 1, 1]), np.array([0, 0, 1]), np.array([5.0, 1.0, 3.0]), 2, 2)
    question = Question(pairs, np.array([4.0, 4.0]), np.array([4.0, 4.0]), [[1], [0]], 100.0)
    assert settle(question, np.array([-1, 0])).tolist() == [0, 1]
    apart = Question(pairs, np.array([4.0, 4.0]), np.array([4.0, 3.0]), [[1], [0]], 100.0)
    assert settle(apart, np.array([-1, 0])).tolist() == [-1, 0]


def test_atoms_of_a_plan_stay_whole_and_catchments_join(sample_dir):
    tables = gm.read_project(sample_dir / "project.toml").tables
    homes = tables["buildings"]
    plan = gm.divide(tables["communities"], homes, tables["streets"], effort="low")
    sites = tables["facilities"]
    sites = sites[sites["category"] == sites["category"].value_counts().sort_index().idxmax()]
    sites = sites.assign(capacity=np.ceil(0.9 * homes["households"].sum() / len(sites)), status="existing", public=True)
    found = gm.catchments(
        homes, sites, tables["streets"], category=sites["category"].iloc[0], weight="households", minutes=20,
        contiguous=True, plan=plan,
    )  # fmt: skip
    graph = nx.Graph()
    graph.add_nodes_from(plan.atoms["atom_id"])
    borders = plan.adjacency
    joins = borders["metres"] >= 3
    if "kind" in borders:
        joins |= borders["kind"].isin(["piece", "bridge"])
    graph.add_edges_from(borders.loc[joins, ["atom_a", "atom_b"]].itertuples(index=False))
    pieces = found.attrs["pieces"]
    assert hangs_together(graph, pieces)
    assert set(pieces["piece_id"]) == set(plan.atoms["atom_id"])
    placed = found[found["status"] == "placed"]
    assert len(placed) > 10
    assert found["count"].sum() == pytest.approx(homes["households"].sum())
    loads = found.attrs["facilities"]
    assert (loads["assigned"] <= loads["capacity"]).all()
    # each building goes where its atom goes
    site = pieces.set_index("piece_id")["facility_id"]
    atom = plan.assignment.dropna(subset=["atom_id"]).set_index("building_id")["atom_id"]
    for row in placed.itertuples():
        assert row.facility_id in set(site[np.atleast_1d(atom[row.building_id])])


def test_who_finds_no_place_is_told():
    streets = gpd.GeoDataFrame(geometry=[LineString(at([[0, 0], [4000, 0]]))], crs=CRS)
    homes = gpd.GeoDataFrame(
        {"building_id": ["a", "b", "far"], "children": [10, 8, 5]},
        geometry=shapely.points(at([[100, 5], [150, 5], [3900, 5]])),
        crs=CRS,
    )
    school = gpd.GeoDataFrame(
        {"facility_id": ["s", "p", "own"], "category": "school", "capacity": [12, 50, 50],
         "status": ["existing", "planned", None], "public": [True, True, False]},
        geometry=shapely.points(at([[120, 5], [120, 9], [120, 12]])), crs=CRS,
    )  # fmt: skip
    found = gm.catchments(homes, school, streets, category="school", metres=500)
    assert found["status"].tolist() == ["placed", "no_place", "beyond"]
    told = found.attrs["findings"].set_index("rule")
    assert json.loads(told.loc["no_place_left", "certificate"]) == {"count": 8.0}
    assert told.loc["no_facility_in_reach", "ids"] == ["far"]
    parted = gm.catchments(homes, school, streets, category="school", metres=500, split=True)
    # b is 30 m away and a 20 m, so all of a goes, and two of b
    assert parted[["building_id", "facility_id", "count"]].fillna("").to_numpy().tolist() == [
        ["a", "s", 10.0], ["b", "s", 2.0], ["b", "", 6.0], ["far", "", 5.0],
    ]  # fmt: skip
    assert parted.attrs["facilities"]["spare"].tolist() == [0]
    nobody = gm.catchments(homes, school, streets, category="nursery", contiguous=True)
    assert (nobody["status"] == "beyond").all()
    assert "category_not_offered" in set(nobody.attrs["findings"]["rule"])


def test_metres_and_minutes_belong_to_one_way():
    homes, services, streets = town(5)
    by_time = gm.catchments(homes, services, streets, category="school", minutes=8)
    cover = gm.cover(homes, services, streets, minutes=8, k=len(services)).reach
    both = by_time.dropna().merge(cover, on=["building_id", "facility_id"], suffixes=("", "_cover"))
    assert len(both) == (by_time["status"] == "placed").sum() > 5
    np.testing.assert_allclose(both["minutes"], both["minutes_cover"])
    np.testing.assert_allclose(both["metres"], both["metres_cover"])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"split": True, "contiguous": True}, "split or contiguous"),
        ({"plan": object()}, "contiguous=True"),
        ({"minutes": {"school": 5}}, "one number"),
        ({"minutes": 5, "metres": 300}, "at most one"),
        ({"weight": "elderly"}, "elderly"),
        ({"capacity": "beds"}, "beds"),
    ],
)
def test_impossible_options_are_refused(options, words):
    with pytest.raises(OptionError, match=words):
        gm.catchments(*town(1), category="school", **options)


def test_an_empty_capacity_needs_a_default():
    homes, services, streets = town(1)
    services.loc[0, "capacity"] = np.nan
    with pytest.raises(OptionError, match="capacity is missing for 1"):
        gm.catchments(homes, services, streets, category="school")
    found = gm.catchments(homes, services, streets, category="school", default_capacity=7)
    assert found.attrs["facilities"]["capacity"].iloc[0] == 7


def test_examples():
    failed, tried = doctest.testmod(gridmap.siting.capacity.catchments)
    assert (failed, tried > 0) == (0, True)
