"""Within reach of one home: the facilities, distances and ways that a cover counts."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString, Point, box
from small_towns import CRS, at, random_town

import gridmap as gm
from gridmap.errors import OptionError

EXACT = 1e-6


def town(seed):
    """A random town with a compound, a one-way street and facilities of every shape."""
    rng = np.random.default_rng(seed)
    homes, services, streets = random_town(seed, facilities=9, categories=("clinic", "school", "park"))
    streets["street_id"] = [f"s{i}" for i in range(len(streets))]
    streets["name"] = rng.choice(["High Street", "Low Street", None], len(streets))
    streets["oneway"] = rng.choice(["yes", None], len(streets))
    shapes = np.asarray(services.geometry.array, dtype=object)
    shapes[::3] = shapely.buffer(shapes[::3], 25, quad_segs=2)
    services = services.set_geometry(shapes, crs=CRS)
    options = {
        "compounds": gpd.GeoDataFrame({"compound_id": ["y"]}, geometry=[box(*at([90, 90]), *at([190, 170]))], crs=CRS),
        "entrances": gpd.GeoDataFrame(
            {"entrance_id": ["g"], "of": ["compound"], "of_id": ["y"]}, geometry=[Point(at([140, 90]))], crs=CRS
        ),
    }
    return homes, services, streets, options


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(["walk", "cycle"]), st.sampled_from(["metres", "minutes"]))
def test_equal_to_the_cover(seed, mode, measure):
    homes, services, streets, options = town(seed)
    network = gm.StreetNetwork.from_streets(streets, mode=mode, access_metres=25, **options)
    limit = {measure: 200 if measure == "metres" else 2.5 if mode == "walk" else 0.8}
    cover = gm.cover(homes, services, network, k=len(services), **limit)
    reach = cover.reach[cover.reach["covered"]]
    for home in homes["building_id"].iloc[:4]:
        place = homes[homes["building_id"] == home]
        found = gm.within_reach(place, services, network, **limit)
        wanted = reach[reach["building_id"] == home].set_index("facility_id")[measure]
        assert sorted(found["facility_id"]) == sorted(wanted.index)
        assert np.abs(found[measure].to_numpy() - wanted[found["facility_id"]].to_numpy()).max(initial=0) <= EXACT
        assert (np.diff(found[measure]) >= -EXACT).all()
        # the line is the way that was counted, from the home to the facility
        assert np.abs(found.length - found["metres"]).max() <= EXACT if len(found) else True
        start = place.geometry.iloc[0]
        shapes = services.set_index("facility_id").geometry
        for row in found.itertuples():
            ends = Point(row.geometry.coords[0]), Point(row.geometry.coords[-1])
            assert ends[0].distance(start) <= EXACT
            assert ends[1].distance(shapes[row.facility_id]) <= EXACT
        nearest = gm.within_reach(place, services, network, nearest_only=True, **limit)
        first = found.drop_duplicates("category")
        assert nearest["category"].tolist() == first["category"].tolist()
        assert nearest[measure].tolist() == first[measure].tolist()


def ring():
    lines = [[(0, 0), (300, 0)], [(300, 0), (300, 200)], [(300, 200), (0, 200)], [(0, 200), (0, 0)]]
    streets = gpd.GeoDataFrame(
        {
            "name": ["South", "East", "North", "West"],
            "class": ["residential", "steps", "residential", "residential"],
            "oneway": "yes",
        },
        geometry=[shapely.transform(LineString(line), at) for line in lines], crs=CRS,
    )  # fmt: skip
    shops = gpd.GeoDataFrame(
        {
            "facility_id": ["b", "a", "p"], "category": ["shop", "shop", "cafe"],
            "status": ["existing", "existing", "planned"],
        },
        geometry=[Point(at([0, 50])), Point(at([250, 200])), Point(at([10, 0]))], crs=CRS,
    )  # fmt: skip
    return streets, shops, Point(at([50, 0]))


def test_on_foot_by_bicycle_and_by_car():
    streets, shops, home = ring()

    def reached(table, mode):
        network = gm.StreetNetwork.from_streets(table, mode=mode, access_metres=5)
        return gm.within_reach(home, shops, network, metres=2000)

    walk = reached(streets, "walk")
    assert walk["facility_id"].tolist() == ["b", "a"]
    assert walk["streets"].tolist() == ["South > West", "South > East > North"]
    assert walk["metres"].tolist() == pytest.approx([100, 500])
    # by car one goes round with the one-way streets, and steps are no way
    assert len(reached(streets, "drive")) == 0
    level = streets.assign(**{"class": "residential"})
    by_car = reached(level, "drive")
    assert by_car["metres"].tolist() == pytest.approx([500, 250 + 200 + 300 + 150])
    assert by_car["streets"].tolist() == ["South > East > North", "South > East > North > West"]
    cyclist = reached(level.drop(columns="oneway"), "cycle")
    assert cyclist["metres"].tolist() == pytest.approx([100, 500])
    assert cyclist["minutes"].tolist() == pytest.approx([0.4, 2.0])
    # a table of streets is made ready for the mode of the profile
    quick = gm.within_reach(home, shops, level, metres=2000, profile="car").set_index("facility_id")
    assert quick["minutes"]["a"] == pytest.approx(500 * 0.06 / 20)


def test_what_is_out_of_reach_and_what_is_refused():
    streets, shops, home = ring()
    none = gm.within_reach(home, shops, streets, metres=20)
    assert none.columns.tolist() == ["facility_id", "category", "metres", "minutes", "streets", "geometry"]
    assert len(none) == 0
    assert none.crs == shops.crs
    assert len(gm.within_reach(home, shops, streets, minutes={"cafe": 15})) == 0
    with pytest.raises(OptionError, match="minutes and metres"):
        gm.within_reach(home, shops, streets, minutes=5, metres=100)
    with pytest.raises(OptionError, match="2 rows"):
        gm.within_reach(shops.iloc[:2], shops, streets)


def test_facilities_on_an_isolated_piece_are_reported_and_never_reached_from_elsewhere():
    streets, shops, home = ring()
    island = gpd.GeoDataFrame(geometry=[LineString(at([[50, 60], [60, 60]]))], crs=CRS)
    apart = gpd.GeoDataFrame({"facility_id": ["i"], "category": ["shop"]}, geometry=[Point(at([60, 61]))], crs=CRS)
    network = gm.StreetNetwork.from_streets(streets, access_metres=5).with_changes(add=island)
    services = gpd.GeoDataFrame(pd.concat([shops, apart], ignore_index=True), crs=CRS)
    found = gm.within_reach(home, services, network, metres=5000)
    assert "i" not in set(found["facility_id"])
    rules = found.attrs["findings"].set_index("rule")
    assert rules.loc["facilities_isolated", "ids"] == ["i"]
    homes = gpd.GeoDataFrame({"building_id": ["h"], "households": [3]}, geometry=[home], crs=CRS)
    cover = gm.cover(homes, apart, network, metres=5000)
    assert cover.rate()["covered"].tolist() == [0]
    assert cover.findings.set_index("rule").loc["facilities_isolated", "ids"] == ["i"]


def test_from_a_place_in_the_city(data_dir):
    source = data_dir / "beijing_tsinghua" / "map.osm.pbf"
    network = gm.StreetNetwork.from_streets(gm.read_streets(source))
    homes = gm.read_buildings(source).assign(households=1)
    services = gm.read_facilities(source)
    home = homes.iloc[[7]]
    found = gm.within_reach(home, services, network, minutes=15)
    reach = gm.cover(home, services, network, minutes=15, k=len(services)).reach
    wanted = reach[reach["covered"]].set_index("facility_id")["minutes"]
    assert sorted(found["facility_id"]) == sorted(wanted.index)
    assert len(found) > 5
    assert np.abs(found["minutes"].to_numpy() - wanted[found["facility_id"]].to_numpy()).max() <= EXACT
    assert found.crs == services.crs
