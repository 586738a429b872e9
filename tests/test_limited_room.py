"""Sites that hold only so many, through the public face, against networkx on all choices there are."""

from __future__ import annotations

import itertools

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_locate import NETWORK, homes_at, sites_at, towns, ways

import gridmap as gm


def most_served(weight: np.ndarray, near: np.ndarray, room: list[float]) -> float:
    """The greatest flow from homes to sites that are near, each holding so many."""
    graph = nx.DiGraph()
    graph.add_nodes_from(("from", "to"))
    for home, people in enumerate(weight.tolist()):
        graph.add_edge("from", ("home", home), capacity=people)
    for site, places in enumerate(room):
        graph.add_edge(("site", site), "to", capacity=places)
    for home, site in np.argwhere(near).tolist():
        graph.add_edge(("home", home), ("site", site))
    return nx.maximum_flow_value(graph, "from", "to")


@st.composite
def rooms(draw):
    homes, sites, existing, metres = draw(towns())
    sites["places"] = draw(st.lists(st.integers(0, 12), min_size=len(sites), max_size=len(sites)))
    existing["capacity"] = draw(st.lists(st.integers(0, 12), min_size=len(existing), max_size=len(existing)))
    return homes, sites, existing, metres


@settings(max_examples=20, deadline=None)
@given(rooms(), st.integers(1, 3))
def test_most_served_by_so_many_sites(town, count):
    homes, sites, existing, metres = town
    plan = gm.locate(
        homes, sites, NETWORK, category="clinic", existing=existing, metres=metres, count=count, capacity="places"
    )
    weight = homes["households"].to_numpy()
    near = np.column_stack((ways(homes, sites), ways(homes, existing) if len(existing) else np.empty((len(homes), 0))))
    near = near <= metres
    places, there = sites["places"].tolist(), existing["capacity"].tolist()
    best = max(
        most_served(weight, near, [p if i in chosen else 0 for i, p in enumerate(places)] + there)
        for chosen in itertools.combinations(range(len(sites)), min(count, len(sites)))
    )
    row = plan.rates.iloc[0]
    assert row["covered_after"] == pytest.approx(best, abs=1e-6)
    assert row["covered_before"] == pytest.approx(most_served(weight, near, [0] * len(places) + there), abs=1e-6)
    assert row["reachable"] == pytest.approx(most_served(weight, near, places + there), abs=1e-6)
    assert plan.newly_covered["households"].sum() >= row["covered_after"] - row["covered_before"] - 1e-6
    # nobody is lost, nobody is sent where there is no place, nobody too far
    assert plan.assignment["count"].sum() == pytest.approx(weight.sum())
    assert plan.assignment.loc[plan.assignment["covered"], "count"].sum() == pytest.approx(best, abs=1e-6)
    load = plan.assignment.groupby("facility_id")["count"].sum()
    held = {
        **dict(zip(sites["facility_id"], places, strict=True)),
        **dict(zip(existing["facility_id"], there, strict=True)),
    }
    assert all(load[one] <= held[one] + 1e-6 for one in load.index)
    assert (plan.assignment["metres"].dropna() <= metres).all()


@settings(max_examples=15, deadline=None)
@given(rooms(), st.sampled_from([0.4, 0.8]))
def test_fewest_sites_that_serve_enough(town, target):
    homes, sites, existing, metres = town
    plan = gm.locate(
        homes, sites, NETWORK, category="clinic", existing=existing, metres=metres, target=target, capacity="places"
    )
    weight = homes["households"].to_numpy()
    near = np.column_stack((ways(homes, sites), ways(homes, existing) if len(existing) else np.empty((len(homes), 0))))
    near = near <= metres
    places, there = sites["places"].tolist(), existing["capacity"].tolist()
    asked = min(target * weight.sum(), most_served(weight, near, places + there)) - 1e-6
    fewest = next(
        size
        for size in range(len(sites) + 1)
        if any(
            most_served(weight, near, [p if i in chosen else 0 for i, p in enumerate(places)] + there) >= asked
            for chosen in itertools.combinations(range(len(sites)), size)
        )
    )
    assert len(plan.sites) == fewest
    assert plan.rates["covered_after"].iloc[0] >= asked


def test_gains_and_loads_of_a_full_site():
    homes = homes_at([(0, 0), (50, 0), (800, 800)], [10, 10, 6])
    sites = sites_at([(20, 0), (800, 800)], beds=[15, 40])
    plan = gm.locate(homes, sites, NETWORK, category="school", metres=200, count=2, capacity="beds")
    assert plan.sites[["facility_id", "gain", "capacity", "load"]].to_numpy().tolist() == [
        ["s0", 15, 15, 15], ["s1", 6, 40, 6],
    ]  # fmt: skip
    left = plan.assignment[~plan.assignment["covered"]]
    assert left["count"].tolist() == [5]
    assert left["facility_id"].isna().all()
    with pytest.raises(gm.OptionError, match="capacities"):
        _ = plan.curve
    with pytest.raises(gm.OptionError, match="capacities"):
        plan.robustness()


def test_who_may_not_be_asked():
    homes, sites = homes_at([(0, 0)], [10]), sites_at([(0, 0)])
    options = {"metres": 100, "count": 1}
    with pytest.raises(gm.OptionError, match="goes with one category"):
        gm.locate(homes, sites, NETWORK, category=["a", "b"], capacity=5, **options)
    with pytest.raises(gm.OptionError, match="capacity='places' is no column"):
        gm.locate(homes, sites, NETWORK, category="a", capacity="places", **options)
    there = sites_at([(0, 0)], category="a").assign(facility_id="there")
    with pytest.raises(gm.OptionError, match="no column of numbers of facilities"):
        gm.locate(homes, sites.assign(places=5), NETWORK, category="a", existing=there, capacity="places", **options)
