"""Routes: as long as the search says, with the streets in order."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString, Point, box

from gridmap.errors import OptionError
from gridmap.io.read.readers import read_streets
from gridmap.network.search import nearest
from gridmap.network.streets import StreetNetwork

CORNER = np.array([500_000.0, 4_400_000.0])


def at(x, y):
    return Point(CORNER[0] + x, CORNER[1] + y)


def moved(shape):
    return shapely.transform(shape, lambda xy: xy + CORNER)


def frame(*shapes, **columns):
    return gpd.GeoDataFrame(columns, geometry=[moved(s) for s in shapes], crs=32650)


NETWORK = StreetNetwork.from_streets(
    frame(
        LineString([(0, 0), (100, 0)]), LineString([(100, 0), (150, 0), (200, 0)]), LineString([(200, 0), (200, 100)]),
        LineString([(200, 100), (200, 200)]), LineString([(0, 0), (0, 500), (200, 500), (200, 200)]),
        street_id=["a", "b", "c", "d", "e"], name=["East", "East", None, "Hill", "Ring"],
        **{"class": ["residential", "residential", "footway", "steps", "primary"]},
    )
)  # fmt: skip


def test_the_streets_in_order():
    route = NETWORK.route(at(20, 5), at(203, 150))
    assert route.streets == ("East", "Hill")
    assert route.steps["street_id"].tolist() == ["a", "b", "c", "d"]
    assert route.steps["metres"].tolist() == pytest.approx([80, 100, 100, 50])
    assert route.metres == pytest.approx(5 + 330 + 3)
    assert route.minutes == pytest.approx((5 + 280 + 2 * 50 + 3) / 80)
    assert (np.array(route.geometry.coords) - CORNER).round(6).tolist() == [
        [20, 5], [20, 0], [100, 0], [150, 0], [200, 0], [200, 100], [200, 150], [203, 150],
    ]  # fmt: skip
    assert repr(route) == "<Route: 338 m, 4.8 min, East > Hill>"


def test_the_way_along_one_edge():
    route = NETWORK.route(at(20, 5), at(90, -2))
    assert route.metres == pytest.approx(77)
    assert route.steps["street_id"].tolist() == ["a"]
    assert route.geometry.length == pytest.approx(77)
    assert NETWORK.route(at(20, 0), at(20, 0)).metres == 0


def test_quick_and_short():
    # the way round by the ring is longer but has no steps
    slow = NETWORK.with_profile({"kmh": 6.0, "stairs": 0.05})
    assert slow.route(at(0, 10), at(200, 300)).streets == ("Ring",)
    assert slow.route(at(0, 10), at(200, 300), by="metres").streets == ("East", "Hill", "Ring")


def test_through_the_gate():
    yard = box(20, 20, 80, 60)
    network = StreetNetwork.from_streets(
        frame(LineString([(0, 0), (100, 0)]), LineString([(0, 0), (0, 80), (100, 80)])),
        compounds=frame(yard, compound_id=["y"]),
        entrances=frame(Point(60, 60), entrance_id=["g"], of="compound", of_id="y"),
    )
    route = network.route(at(50, 30), at(50, -5))
    assert (np.array(route.geometry.coords) - CORNER).round(6).tolist() == [
        [50, 30], [60, 60], [60, 80], [0, 80], [0, 0], [50, 0], [50, -5],
    ]  # fmt: skip
    assert route.metres == pytest.approx(np.hypot(10, 30) + 20 + 60 + 80 + 50 + 5) == route.geometry.length


def test_to_the_door_that_the_entrances_name():
    network = StreetNetwork.from_streets(
        frame(LineString([(0, 0), (100, 0)])),
        entrances=frame(Point(90, 10), entrance_id=["d"], of="facility", of_id="park"),
    )
    park = frame(box(40, 10, 90, 50), facility_id=["park"])
    home = frame(Point(10, 4), building_id=["h"]).to_crs(4326)
    assert network.route(home, park).metres == pytest.approx(4 + 80 + 10, abs=1e-3)
    assert network.route(home, park.drop(columns="facility_id")).metres == pytest.approx(4 + 30 + 10, abs=1e-3)


def test_no_way_and_no_place():
    network = StreetNetwork.from_streets(frame(LineString([(0, 0), (10, 0)]), LineString([(0, 900), (10, 900)])))
    with pytest.raises(OptionError, match="no way"):
        network.route(at(0, 0), at(0, 900))
    with pytest.raises(OptionError, match="one row"):
        network.route("home", at(0, 0))
    with pytest.raises(OptionError, match="2 rows"):
        network.route(frame(Point(0, 0), Point(1, 1)), at(0, 0))


LINES = st.lists(
    st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=2, max_size=4).filter(lambda p: len(set(p)) > 1),
    min_size=1, max_size=8,
)  # fmt: skip
SPOT = st.tuples(st.integers(-20, 140), st.integers(-20, 140))


@settings(max_examples=80, deadline=None)
@given(LINES, SPOT, SPOT, st.booleans())
def test_a_route_is_as_long_as_the_search_says(lines, start, end, directed):
    streets = frame(
        *[LineString(np.array(line) * 20.0) for line in lines],
        oneway=["yes" if i % 2 else None for i in range(len(lines))],
    )
    network = StreetNetwork.from_streets(streets, mode="cycle" if directed else "walk")
    for by in ("metres", "minutes"):
        found = nearest(network, network.access([at(*end)], kind="facility"), network.access([at(*start)]), by=by)
        if found.target[0, 0] < 0:
            with pytest.raises(OptionError, match="no way"):
                network.route(at(*start), at(*end), by=by)
            continue
        route = network.route(at(*start), at(*end), by=by)
        # Of two ways that tie in the one measure, either may be taken, and the other measure differs.
        assert getattr(route, by) == pytest.approx(getattr(found, by)[0, 0], abs=1e-6)
        assert route.geometry.length == pytest.approx(route.metres, abs=1e-6)
        assert route.geometry.coords[0] == at(*start).coords[0]
        assert route.geometry.coords[-1] == at(*end).coords[0]


def test_routes_in_beijing(data_dir):
    network = StreetNetwork.from_streets(read_streets(data_dir / "beijing_tsinghua" / "map.osm.pbf"))
    rng = np.random.default_rng(5)
    spots = shapely.points(network.graph.node_xy[rng.choice(network.graph.n_nodes, 12)] + rng.uniform(-40, 40, (12, 2)))
    access = network.access(spots), network.access(spots, kind="facility")
    routes = 0
    for i, j in zip(range(6), range(6, 12), strict=True):
        found = nearest(network, access[1].take(np.array([j])), access[0].take(np.array([i])))
        if found.target[0, 0] < 0:
            continue
        routes += 1
        route = network.route(spots[i], spots[j])
        assert (route.metres, route.minutes) == pytest.approx((found.metres[0, 0], found.minutes[0, 0]), abs=1e-6)
        assert route.geometry.length == pytest.approx(route.metres, abs=1e-6)
    assert routes > 3
