"""The ways of drawing that benchmarks hold against the count, on a street where each can be told by hand."""

from __future__ import annotations

import sys

import geopandas as gpd
import numpy as np
import pytest
import shapely
from conftest import REPOSITORY
from small_towns import CRS, at, random_town

from gridmap.network.streets import StreetNetwork

sys.path.insert(0, str(REPOSITORY / "benchmarks"))
import truth


def town(homes, facilities=((500.0, 5.0),)):
    """A street of 1 km with a node every 100 m, and a side street of 300 m north of its 700th metre."""
    along = [[100.0 * i, 0.0] for i in range(11)]
    aside = [[700.0, 100.0 * i] for i in range(4)]
    streets = gpd.GeoDataFrame(
        {"class": ["residential"] * 2},
        geometry=[shapely.linestrings(at(along)), shapely.linestrings(at(aside))],
        crs=CRS,
    )
    network = StreetNetwork.from_streets(streets)
    return truth.Town(network, np.array(shapely.points(at(homes))), np.array(shapely.points(at(facilities))))


@pytest.mark.parametrize(
    ("way", "covered"),
    [
        # homes: on the street, 258 m along; on the side street, 350 m away with its leg; in the open; at a reached node
        ("straight circles", [True, True, True, True]),
        ("node snapping", [True, True, True, True]),
        ("convex hulls of reached nodes", [False, False, False, True]),
        ("reached edges, 25 m around", [True, False, False, True]),
        ("reached edges, 50 m around", [True, True, False, True]),
    ],
)
def test_what_each_way_covers_within_300_metres(way, covered):
    homes = [[758.0, 3.0], [690.0, 140.0], [500.0, -205.0], [700.0, 0.0]]
    if way == "convex hulls of reached nodes":
        # the nodes from 200 m to 800 m and the first one aside: their hull is a triangle over the street
        homes[0] = [790.0, 40.0]
    assert truth.WAYS[way](town(homes), 300.0).tolist() == covered


def test_concave_hulls_lie_within_convex_ones():
    _, services, streets = random_town(3, side=8)
    homes = np.array(shapely.points(at(np.random.default_rng(3).uniform(-40, 540, (800, 2)))))
    somewhere = truth.Town(StreetNetwork.from_streets(streets), homes, services.geometry.to_numpy()[:2])
    concave, convex = truth.concave_hulls(somewhere, 200.0), truth.convex_hulls(somewhere, 200.0)
    assert (convex | ~concave).all()
    assert 50 < concave.sum() < convex.sum()


def test_partly_reached_edges_end_where_the_metres_do():
    homes = np.column_stack([np.arange(705.0, 800.0, 10.0), np.zeros(10)])
    # from the node at 500 m, 250 m reach to 750 m; 10 m around that is 760 m
    assert truth.buffered_edges(town(homes), 250.0, 10.0).tolist() == [x <= 760 for x, _ in homes]
