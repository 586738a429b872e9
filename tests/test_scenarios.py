"""Scenarios: a changed cover is the cover of the changed tables."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString, box
from small_towns import CRS, ORIGIN, at, random_town

import gridmap as gm
from gridmap.coverage.counting.scenarios import label_cover
from gridmap.errors import OptionError
from gridmap.network.points import OK

few = settings(max_examples=12, deadline=None)
seeds = st.integers(0, 10**6)
EXACT = 1e-6


def assert_same_cover(changed, made, *, exactly=False):
    """The same distances and findings; to the last digit, and so the same facilities, where the streets are the same.

    Sums over edges that are numbered otherwise differ in their last digits, and these may decide between two facilities
    that are equally near.
    """
    assert list(changed.thresholds) == list(made.thresholds)
    assert np.array_equal(changed.counted, made.counted)
    assert np.array_equal(changed.snapped, made.snapped)
    one, other = changed.nearest.cost(changed.measure), made.nearest.cost(made.measure)
    there = np.isfinite(one)
    assert np.array_equal(there, np.isfinite(other))
    assert np.abs(one[there] - other[there]).max(initial=0) <= EXACT
    facility = [
        np.append(c.facilities["facility_id"].to_numpy(dtype=object), None)[c.nearest.facility] for c in (changed, made)
    ]
    assert np.array_equal(facility[0] == None, facility[1] == None)  # noqa: E711  (element by element)
    if exactly:
        assert np.array_equal(facility[0], facility[1])
        assert np.array_equal(changed.nearest.metres, made.nearest.metres)
        assert np.array_equal(changed.nearest.minutes, made.nearest.minutes)
    rules = [c.findings[["severity", "rule", "message", "ids"]].astype(str) for c in (changed, made)]
    rules = [set(map(tuple, r[~r["rule"].str.startswith(("street_", "added_"))].to_numpy())) for r in rules]
    assert rules[0] == rules[1]


def assert_same_labels(cover):
    """What is known at the nodes is what a sweep of the whole network finds, to the last digit."""
    for repaired, searched in zip(cover.labels, label_cover(cover), strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(repaired, searched, strict=True))


def anew(changed, **options):
    """The cover counted from the tables of a changed one."""
    network = changed.network
    streets = gm.StreetNetwork.from_streets(
        network.lines, profile=network.profile, access_metres=network.access_metres, **options
    )
    limits = {changed.measure: changed.thresholds}
    return gm.cover(changed.buildings, changed.facilities, streets, k=changed.k, **limits)


def town_with_walls(seed, access_metres):
    """A random town, facilities of every kind, and a compound with a gate in its middle."""
    rng = np.random.default_rng(seed)
    homes, services, streets = random_town(seed, facilities=9, categories=("clinic", "school", "park"))
    streets["street_id"] = [f"s{i}" for i in range(len(streets))]
    services["status"] = rng.choice(["existing", "planned"], len(services), p=[0.8, 0.2])
    services["public"] = rng.choice([True, False], len(services), p=[0.8, 0.2])
    shapes = np.asarray(services.geometry.array, dtype=object)
    shapes[::3] = shapely.buffer(shapes[::3], 20, quad_segs=1)
    services = services.set_geometry(shapes, crs=CRS)
    yard = box(*at([90, 90]), *at([190, 170]))
    gate = shapely.Point(at([rng.uniform(95, 185), 90]))
    options = {
        "compounds": gpd.GeoDataFrame({"compound_id": ["y"]}, geometry=[yard], crs=CRS),
        "entrances": gpd.GeoDataFrame(
            {"entrance_id": ["g", "d"], "of": ["compound", "building"], "of_id": ["y", "b003"]},
            geometry=[gate, shapely.Point(at(rng.uniform(0, 280, 2)))], crs=CRS,
        ),
        "barriers": gpd.GeoDataFrame(
            geometry=[LineString([at([0, 230]), at([rng.uniform(50, 280), 230])])], crs=CRS
        ),
    }  # fmt: skip
    network = gm.StreetNetwork.from_streets(streets, access_metres=access_metres, **options)
    return rng, homes, services, network, options


def some_change(rng, cover):
    """A change of one kind or of several at once."""
    change = {}
    ids = cover.facilities["facility_id"].tolist()
    if rng.random() < 0.5:
        places = ORIGIN + rng.uniform(-40, 320, (2, 2))
        change["add_facilities"] = gpd.GeoDataFrame(
            {"facility_id": [f"a{rng.integers(10**9)}" for _ in places], "category": rng.choice(["clinic", "bank"], 2)},
            geometry=[shapely.Point(places[0]), shapely.Point(places[1]).buffer(30)], crs=CRS,
        )  # fmt: skip
    if rng.random() < 0.5:
        change["close_facilities"] = rng.choice(ids, 2, replace=False).tolist()
    if rng.random() < 0.4:
        change["open_facilities"] = [i for i in ids if i not in change.get("close_facilities", [])][:4]
    if rng.random() < 0.6:
        nodes = cover.network.graph.node_xy
        ends = nodes[rng.choice(len(nodes), 4)] + rng.choice([0, 0.5, 30], (4, 1))
        change["add_streets"] = gpd.GeoDataFrame(
            geometry=[
                LineString(ends[:2] + np.array([[0, 0], [0, 7]])),
                LineString(ends[2:] + np.array([[0, 0], [9, 0]])),
            ],
            crs=CRS,
        )
    if rng.random() < 0.5:
        known = cover.network.streets["street_id"].dropna().unique()
        change["close_streets"] = rng.choice(known, min(3, len(known) - 1), replace=False).tolist()
    return change


@few
@given(seeds, st.sampled_from([0.0, 25.0, 50.0]), st.sampled_from(["minutes", "metres"]))
def test_a_changed_cover_is_that_of_the_changed_tables(seed, access_metres, measure):
    rng, homes, services, network, options = town_with_walls(seed, access_metres)
    cover = gm.cover(homes, services, network, **{measure: 3 if measure == "minutes" else 240})
    changed = cover.with_changes(**some_change(rng, cover))
    assert_same_cover(changed, anew(changed, **options))
    assert_same_labels(changed)
    again = changed.with_changes(**some_change(rng, changed))
    assert_same_cover(again, anew(again, **options))
    assert_same_labels(again)
    # the first one is as it was
    assert_same_cover(cover, gm.cover(homes, services, network, **{measure: cover.thresholds}), exactly=True)


def two_streets():
    """Two parallel streets 200 m apart that join at their west end alone, homes on one and a clinic on the other."""
    lines = [LineString([(0, 0), (400, 0)]), LineString([(0, 0), (0, 200)]), LineString([(0, 200), (400, 200)])]
    streets = gpd.GeoDataFrame(
        {"street_id": ["south", "west", "north"]}, geometry=[shapely.transform(s, at) for s in lines], crs=CRS
    )
    homes = gpd.GeoDataFrame(
        {"building_id": ["near", "far"], "households": [10, 30], "block": ["w", "e"]},
        geometry=[shapely.Point(at([50, 0])), shapely.Point(at([390, 0]))], crs=CRS,
    )  # fmt: skip
    services = gpd.GeoDataFrame(
        {
            "facility_id": ["c1", "c2", "k1"], "category": ["clinic", "clinic", "canteen"],
            "status": ["existing", "planned", "existing"], "public": [True, True, False],
        },
        geometry=[shapely.Point(at(p)) for p in ([390, 200], [350, 0], [60, 0])], crs=CRS,
    )  # fmt: skip
    return gm.cover(homes, services, gm.StreetNetwork.from_streets(streets), metres={"clinic": 400, "canteen": 500})


def metres_of(cover, category="clinic"):
    return cover.distance[:, list(cover.thresholds).index(category)].tolist()


def test_footbridges_planned_facilities_and_institutions():
    cover = two_streets()
    assert metres_of(cover) == pytest.approx([50 + 200 + 390, 390 + 200 + 390])
    bridge = gpd.GeoDataFrame(geometry=[LineString(at([[390, 0.5], [390, 199.5]]))], crs=CRS)
    assert metres_of(cover.with_changes(add_streets=bridge)) == pytest.approx([340 + 200, 200])
    assert metres_of(cover.with_changes(open_facilities=["c2"])) == pytest.approx([300, 40])
    assert np.isnan(metres_of(cover, "canteen")).all()
    opened = cover.with_changes(open_facilities="k1")
    assert metres_of(opened, "canteen") == pytest.approx([10, 330])
    assert "facilities_not_public" in set(cover.findings["rule"])
    assert "facilities_not_public" not in set(opened.findings["rule"])
    closed = opened.with_changes(close_facilities=["c1"])
    assert np.isnan(metres_of(closed)).all()
    assert "category_not_offered" in set(closed.findings["rule"])
    cut = cover.with_changes(close_streets=["west"])
    assert np.isnan(metres_of(cut)).all()


def test_slower_walkers():
    cover = two_streets()
    slow = cover.with_changes(profile="elderly")
    assert slow.profile == "elderly"
    assert slow.nearest.metres.tolist() == cover.nearest.metres.tolist()
    made = gm.cover(cover.buildings, cover.facilities, cover.network, metres=cover.thresholds, profile="elderly")
    assert_same_cover(slow, made, exactly=True)
    assert (slow.nearest.minutes[:, 0] > cover.nearest.minutes[:, 0]).all()


@pytest.mark.parametrize("options", [{"how": "straight"}, {"k": 2}])
def test_straight_lines_and_several_ranks_are_counted_anew(options):
    homes, services, streets = random_town(5)
    streets["street_id"] = [f"s{i}" for i in range(len(streets))]
    network = gm.StreetNetwork.from_streets(streets)
    cover = gm.cover(homes, services, network, metres=150, **options)
    changed = cover.with_changes(close_facilities=["f000"], close_streets=["s3", "s4"])
    made = gm.cover(homes, changed.facilities, network.with_changes(close=["s3", "s4"]), metres=150, **options)
    assert_same_cover(changed, made, exactly=True)


def test_what_cannot_be_is_refused():
    cover = two_streets()
    with pytest.raises(OptionError, match="close_facilities: 1 ids are not among the facilities: c9"):
        cover.with_changes(close_facilities=["c1", "c9"])
    with pytest.raises(OptionError, match="open_facilities"):
        cover.with_changes(open_facilities=["c9"])
    with pytest.raises(OptionError, match="c1 are there already"):
        cover.with_changes(add_facilities=cover.facilities.iloc[:1])
    with pytest.raises(OptionError, match="close: 1 ids"):
        cover.with_changes(close_streets=["nowhere"])
    straight = gm.cover(cover.buildings, cover.facilities, how="straight", metres=100)
    with pytest.raises(OptionError, match="without streets"):
        straight.with_changes(close_streets=["west"])


def test_an_opened_wall():
    gate = gpd.GeoDataFrame(
        {"entrance_id": ["new"], "of": ["compound"], "of_id": ["y"]}, geometry=[shapely.Point(at([140, 170]))], crs=CRS
    )
    differ = 0
    for seed in range(5):
        _, homes, services, network, options = town_with_walls(seed, 50.0)
        cover = gm.cover(homes, services.assign(status="existing", public=True), network, metres=200)
        changed = cover.with_changes(open_gates=gate)
        entrances = gpd.GeoDataFrame(
            {column: [*options["entrances"][column], *gate[column]] for column in ("entrance_id", "of", "of_id")},
            geometry=[*options["entrances"].geometry, *gate.geometry], crs=CRS,
        )  # fmt: skip
        assert_same_cover(changed, anew(changed, **{**options, "entrances": entrances}))
        assert_same_labels(changed)
        differ += not np.array_equal(changed.nearest.metres, cover.nearest.metres)
    assert differ > 2


@few
@given(seeds)
def test_streets_and_facilities_more_lower_nothing_and_less_raise_nothing(seed):
    rng, homes, services, network, _ = town_with_walls(seed, 50.0)
    cover = gm.cover(homes, services.assign(status="existing", public=True), network, metres=200)
    # two nodes may lie in one place
    places = np.unique(network.graph.node_xy, axis=0)
    links = [LineString(places[rng.choice(len(places), 2, replace=False)]) for _ in range(2)]
    more = cover.with_changes(
        add_streets=gpd.GeoDataFrame(geometry=links, crs=CRS),
        add_facilities=gpd.GeoDataFrame(
            {"facility_id": ["new"], "category": ["clinic"]},
            geometry=[shapely.Point(ORIGIN + rng.uniform(0, 280, 2))], crs=CRS,
        ),
    )  # fmt: skip
    # where an edge was in range, of gates too: what takes the nearest one for want of any loses it to one in range
    usual = (cover.accesses[0].status == "ok") & (cover.accesses[1].status == "ok").all()
    usual &= (network.gates[1] == OK).all()
    assert (more.nearest.metres[usual] <= cover.nearest.metres[usual] + EXACT).all()
    assert (more.covered[usual] >= cover.covered[usual]).all()
    less = cover.with_changes(close_facilities=services["facility_id"].iloc[:2])
    assert (less.nearest.metres >= cover.nearest.metres - EXACT).all()
    assert (less.covered <= cover.covered).all()


@pytest.fixture(scope="module")
def las_palmas(data_dir):
    folder = data_dir / "las_palmas"
    source = folder / "las_palmas_20230221.osm.pbf"
    network = gm.StreetNetwork.from_streets(
        gm.read_streets(source).to_crs(32628),
        compounds=gm.read_compounds(folder / "compounds.gpkg"),
        entrances=gm.read_entrances(folder / "entrances.gpkg"),
    )
    homes = gm.read_buildings(source).to_crs(32628).assign(households=1)
    return gm.cover(homes, gm.read_facilities(source).to_crs(32628), network)


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.full), pytest.param(2, marks=pytest.mark.full)])
def test_changes_of_las_palmas(las_palmas, seed):
    rng = np.random.default_rng(seed)
    cover, nodes = las_palmas, las_palmas.network.graph.node_xy
    for turn in range(12):
        place = nodes[rng.integers(len(nodes))]
        near = nodes[np.hypot(*(nodes - place).T) < 150]
        other = near[rng.integers(len(near))] + rng.uniform(-0.5, 0.5, 2)
        change = (
            {"add_streets": gpd.GeoDataFrame(geometry=[LineString([place, other])], crs=32628)},
            {"close_streets": rng.choice(cover.network.streets["street_id"].dropna().unique(), 2)},
            {"close_facilities": rng.choice(cover.facilities["facility_id"][cover.counted], 3, replace=False)},
            {
                "add_facilities": gpd.GeoDataFrame(
                    {"facility_id": [f"new{turn}"], "category": rng.choice(list(cover.thresholds), 1)},
                    geometry=[shapely.Point(other)], crs=32628,
                )
            },
        )[turn % 4]  # fmt: skip
        cover = cover.with_changes(**change)
    assert_same_labels(cover)
    # the same tables on the same streets, all snapped and searched anew
    made = gm.cover(cover.buildings, cover.facilities, cover.network, minutes=cover.thresholds)
    assert_same_cover(cover, made)
    assert (cover.nearest.metres != las_palmas.nearest.metres).mean() > 0.001
