"""`divide` on random small towns: what a plan must keep, and what must not change it."""

from __future__ import annotations

import multiprocessing
from concurrent import futures

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from plan_checks import check_plan, pieces
from shapely import LineString, box
from small_towns import CRS, ORIGIN, random_town

import gridmap as gm


def town(seed, *, barred=True):
    """Three communities (one with a hole, one in it and beside it), houses and points, compounds, a railway."""
    rng = np.random.default_rng(seed)
    homes, _, streets = random_town(seed, buildings=40, side=5, spacing=70.0)
    homes = homes.drop(columns="community_id")
    xy = shapely.get_coordinates(homes.geometry.to_numpy())
    half = rng.uniform(3, 9, (len(homes), 2))
    footprints = shapely.box(*(xy - half).T, *(xy + half).T)
    low, high, middle = -35.0, 315.0, rng.uniform(80, 160)
    enclave, beside = box(200, 100, 280, 190), box(low, 220, 40, high)
    areas = {
        "A": box(low, low, middle, high).difference(beside),
        "B": box(middle, low, high, high).difference(enclave),
        "C": shapely.union_all([enclave, beside]),
    }
    corner = np.array([rng.uniform(65, 90), rng.uniform(0, 200)])
    yards = [box(*corner, *(corner + rng.uniform(30, 85, 2))), box(10, 10, 60, 70)]
    # a house across the wall of a compound would be in it and out of it
    local = shapely.transform(footprints, lambda xy: xy - ORIGIN)
    solid = (rng.random(len(homes)) < 0.7) & ~shapely.intersects(shapely.union_all(shapely.boundary(yards)), local)
    homes = homes.set_geometry(gpd.GeoSeries(np.where(solid, footprints, homes.geometry.to_numpy()), crs=CRS))
    rails = [LineString([(rng.uniform(180, 300), low - 5), (rng.uniform(180, 300), high + 5)])] if barred else []

    def table(shapes, **columns):
        shapes = shapely.transform(np.array(shapes, dtype=object), lambda xy: xy + ORIGIN)
        return gpd.GeoDataFrame(columns, geometry=shapes, crs=CRS)

    return {
        "communities": table(list(areas.values()), community_id=list(areas)),
        "buildings": homes,
        "streets": streets,
        "compounds": table(yards, compound_id=["y1", "y2"]),
        "barriers": table(rails, kind=["railway"] * len(rails), hard=[True] * len(rails)),
    }


seeds = st.integers(0, 10**6)
several = settings(max_examples=8, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])


@several
# two streets cross the railway at corners of four atoms
@example(19, 3, True)
@given(seeds, st.sampled_from([1, 3, 8]), st.booleans())
def test_grids_tile_hang_together_and_hold_every_household_once(seed, times, barred):
    tables = town(seed, barred=barred)
    tables["buildings"]["households"] *= times
    plan = gm.divide(**tables, effort="low")
    check_plan(plan, tables["communities"], tables["buildings"])
    parts = tables["communities"].set_index("community_id").geometry.map(shapely.get_num_geometries)
    owner = plan.grids.set_index("grid_id")["community_id"]
    lines = (tables[name].geometry.to_numpy() for name in ("barriers", "streets"))
    for grid, number in pieces(plan, *lines, inhabited=True).items():
        assert number <= parts[owner[grid]]
    audit = plan.audit().set_index("measure")["value"]
    for measure in ("grids_not_joined", "compounds_split", "footprints_cut", "households_lost"):
        assert audit[measure] == 0, measure
    assert audit["extra_pieces"] == 0
    assert audit["buildings_outside_grid"] == 0
    assert max(audit["gap_share"], audit["overlap_share"]) < 1e-6


@several
@given(seeds, st.integers(0, 100))
def test_the_order_of_rows_does_not_matter(seed, order):
    tables = town(seed)
    plan = gm.divide(**tables, effort="low")
    mixed = {name: table.sample(frac=1, random_state=order) for name, table in tables.items()}
    again = gm.divide(**mixed, effort="low")
    assert again.plan_hash == plan.plan_hash
    assert again.grids.drop(columns="geometry").equals(plan.grids.drop(columns="geometry"))
    assert again.assignment.equals(plan.assignment)
    assert again.findings["message"].tolist() == plan.findings["message"].tolist()


def one_thread():
    return futures.ThreadPoolExecutor(1)


def threads():
    return futures.ThreadPoolExecutor(3)


def processes():
    return futures.ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn"))


@pytest.mark.parametrize("executor", [one_thread, threads, processes])
def test_the_number_of_workers_does_not_matter(executor):
    with executor() as workers:
        for seed in range(2):
            tables = town(seed)
            tables["buildings"]["households"] *= 3
            assert gm.divide(**tables, executor=workers).equals(gm.divide(**tables))
