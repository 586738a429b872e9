"""Profiles: which streets each mode may use, in which direction, and how fast."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from gridmap.network.profiles import PROFILES, as_profile, flag, street_directions, street_pace, usable_streets


def usable(mode, **tags):
    return bool(usable_streets(pd.DataFrame([tags]), mode)[0])


@pytest.mark.parametrize(
    ("tags", "walk", "cycle", "drive"),
    [
        ({"class": "residential"}, True, True, True),
        ({"class": None}, True, True, True),
        ({"class": "motorway"}, False, False, True),
        ({"class": "trunk"}, True, True, True),
        ({"class": "footway"}, True, False, False),
        ({"class": "footway", "bicycle": "yes"}, True, True, False),
        ({"class": "cycleway"}, False, True, False),
        ({"class": "steps"}, True, False, False),
        ({"class": "service"}, True, True, True),
        ({"class": "service", "service": "parking_aisle"}, True, True, False),
        ({"class": "construction"}, False, False, False),
        ({"class": "residential", "access": "private"}, False, False, False),
        ({"class": "residential", "access": "no", "foot": "yes"}, True, False, False),
        ({"class": "residential", "access": "no", "motor_vehicle": "destination"}, False, False, True),
        ({"class": "residential", "foot": "no"}, False, True, True),
        ({"class": "residential", "access": "permissive"}, True, True, True),
        ({"class": "pedestrian", "area": "yes"}, True, False, False),
        ({"class": "footway", "area": "yes"}, False, False, False),
        ({"class": "pedestrian", "area": "yes", "foot": "no"}, False, False, False),
    ],
)
def test_who_may_use_a_street(tags, walk, cycle, drive):
    assert [usable(mode, **tags) for mode in ("walk", "cycle", "drive")] == [walk, cycle, drive]


@pytest.mark.parametrize(
    ("mode", "tags", "ways"),
    [
        ("walk", {"oneway": "yes"}, (True, True)),
        ("walk", {"oneway:foot": "yes"}, (True, False)),
        ("drive", {"oneway": "yes"}, (True, False)),
        ("drive", {"oneway": True}, (True, False)),
        ("drive", {"oneway": "-1"}, (False, True)),
        ("drive", {"oneway": None}, (True, True)),
        ("drive", {"oneway": "no", "junction": "roundabout"}, (True, True)),
        ("drive", {"junction": "roundabout"}, (True, False)),
        ("drive", {"class": "motorway"}, (True, False)),
        ("cycle", {"oneway": "yes"}, (True, False)),
        ("cycle", {"oneway": "yes", "oneway:bicycle": "no"}, (True, True)),
        ("cycle", {"oneway": "yes", "cycleway": "opposite_lane"}, (True, True)),
    ],
)
def test_directions(mode, tags, ways):
    forward, backward = street_directions(pd.DataFrame([tags]), mode)
    assert (bool(forward[0]), bool(backward[0])) == ways


def test_paces():
    streets = pd.DataFrame(
        {
            "class": ["residential", "steps", "motorway", "footway"],
            "speed_kmh": [36.0, None, np.nan, None],
            "crossing_delay_s": [None, None, None, 20.0],
        }
    )
    length = np.array([10.0, 10.0, 10.0, 40.0])
    assert street_pace(streets, PROFILES["adult"], length).tolist() == pytest.approx([0.75, 1.5, 0.75, 1.25])
    car = street_pace(streets, PROFILES["car"], length)
    assert car[:3].tolist() == pytest.approx([0.1, 3.6 / 25 / 0.5, 3.6 / 80])
    assert street_pace(streets.drop(columns=["speed_kmh"]), PROFILES["car"], length)[0] == pytest.approx(3.6 / 20)


def test_profiles_by_name_and_mapping():
    assert as_profile("adult", "drive") is PROFILES["car"]
    assert as_profile("adult", "cycle") is PROFILES["cyclist"]
    mine = as_profile({"base": "elderly", "kmh": 3.0, "name": "with a pram"})
    assert (mine.kmh, mine.leg_kmh, mine.stairs, mine.name) == (3.0, 3.0, 0.4, "with a pram")
    assert as_profile({"kmh": 20.0}, "cycle").leg_kmh == 4.8


def test_flags():
    table = pd.DataFrame({"open": [True, False, "yes", "no", None, 1, 0, float("nan"), "1.0"]})
    assert flag(table, "open").tolist() == [True, False, True, False, False, True, False, False, True]
    assert flag(table, "open", absent=True)[[4, 7]].tolist() == [True, True]
    assert flag(table, "shut").sum() == 0
