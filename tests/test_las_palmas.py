"""The main job on a whole real city, in a process of its own as the command runs it, and its map in a browser."""

from __future__ import annotations

import sys
from pathlib import Path

import geopandas as gpd
import pytest
from conftest import REPOSITORY

sys.path.insert(0, str(REPOSITORY / "benchmarks"))
from runs import measure


@pytest.fixture(scope="module")
def las_palmas(data_dir, tmp_path_factory):
    out = tmp_path_factory.mktemp("las_palmas")
    return measure(REPOSITORY / "benchmarks" / "las_palmas.toml", out, GRIDMAP_DATA=str(data_dir)), out


def test_every_household_is_in_a_grid(las_palmas):
    figures, _ = las_palmas
    assert figures["households"] == 128_421
    assert figures["communities"] == 31


def test_grids_are_in_band_but_for_what_the_towers_force(las_palmas):
    figures, _ = las_palmas
    assert 280 <= figures["grids"] <= 380
    assert figures["in_band"] >= 0.9


def test_buildings_outside_the_boundary_are_a_counted_finding(las_palmas):
    figures, _ = las_palmas
    assert 22_218 <= figures["buildings"] < 22_591
    assert any("outside" in rule for _, rule, _ in figures["findings"])


def test_rates_are_shares_of_many_categories(las_palmas):
    figures, _ = las_palmas
    assert len(figures["rates"]) >= 10
    assert all(0 <= rate <= 1 for rate in figures["rates"].values())
    assert max(figures["rates"].values()) > 0.9


def test_memory_is_bounded(las_palmas):
    figures, _ = las_palmas
    assert figures["peak_mb"] is None or figures["peak_mb"] < 2048


def test_geopackage_tiles_each_community(las_palmas):
    _, out = las_palmas
    grids = gpd.read_file(out / "grids.gpkg", layer="grids")
    communities = gpd.read_file(out / "grids.gpkg", layer="communities").to_crs(grids.crs)
    areas = grids.dissolve("community_id").area
    wanted = communities.set_index("community_id").area
    assert ((areas - wanted).abs() <= 1e-6 * wanted).all()


def test_map_opens_without_a_network(las_palmas, browser):
    _, out = las_palmas
    page = Path(out) / "map.html"
    assert page.stat().st_size < 60e6
    browser.get(page.as_uri())
    assert browser.find_elements("css selector", ".leaflet-container")
    assert [e for e in browser.get_log("browser") if e["level"] == "SEVERE"] == []
    sent = [e["message"] for e in browser.get_log("performance") if 'Network.requestWillBeSent"' in e["message"]]
    assert not [message for message in sent if '"url":"http' in message]
