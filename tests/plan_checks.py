"""What holds for every plan that `divide` makes, checked by shapely and networkx alone."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
import shapely


def check_plan(plan, communities, buildings):
    """Grids tile each community, hold every household once and each building where it is assigned to."""
    grids = plan.grids
    assert grids["households"].sum() == pytest.approx(buildings["households"].sum())
    assert sorted(set(plan.assignment["building_id"])) == sorted(buildings["building_id"])
    held = plan.assignment.groupby("grid_id")["households"].sum().reindex(grids["grid_id"], fill_value=0)
    assert held.to_numpy() == pytest.approx(grids["households"].to_numpy())
    for name, area in zip(communities["community_id"], communities.geometry, strict=True):
        own = grids[grids["community_id"] == name].geometry.to_numpy()
        assert shapely.is_valid(own).all()
        assert shapely.coverage_is_valid(own)
        assert shapely.area(own).sum() == pytest.approx(area.area, rel=1e-6)
        assert shapely.union_all(own).symmetric_difference(area).area < 1e-6 * area.area
    shapes = grids.set_index("grid_id").geometry
    footprint = buildings.set_index("building_id").geometry
    for row in plan.assignment.itertuples():
        shape = footprint[row.building_id]
        if row.unit_id is None:
            assert shapes[row.grid_id].distance(shapely.point_on_surface(shape)) < 1e-6
        else:
            assert shapes[row.grid_id].intersection(shape).area > 1.0
    bands = plan.findings[plan.findings["rule"] == "household_band"]
    outside = grids[grids["status"].isin(["above", "below"])]
    assert sorted(ids[0] for ids in bands["ids"]) == sorted(outside["grid_id"])
    assert (bands["certificate"] != "").all()


def pieces(plan, barriers=(), streets=(), *, inhabited=False):
    """For each grid, in how many pieces its atoms lie that no common border of 3 m joins off the barriers.

    Where a street crosses a barrier the atoms there are joined. With `inhabited` pieces without households do not
    count: land of nobody may lie behind a barrier.
    """
    closed = shapely.union_all(shapely.buffer(np.array(barriers, dtype=object), 0.01)) if len(barriers) else None
    crossings = shapely.get_parts(shapely.intersection_all([shapely.union_all(s) for s in (barriers, streets)]))
    out = {}
    for name, atoms in plan.atoms.groupby("grid_id"):
        edges = np.array([shapely.boundary(s) for s in atoms.geometry])
        net = nx.empty_graph(len(edges))
        for a in range(len(edges)):
            common = shapely.intersection(edges[a], edges[a + 1 :])
            open_ = common if closed is None else shapely.difference(common, closed)
            net.add_edges_from((a, a + 1 + b) for b in np.flatnonzero(shapely.length(open_) >= 3.0))
        for crossing in crossings:
            there = np.flatnonzero(shapely.dwithin(edges, crossing, 1.0))
            net.add_edges_from((there[0], b) for b in there[1:])
        held = atoms["households"].to_numpy()
        parts = list(nx.connected_components(net))
        out[name] = sum(not inhabited or held[list(part)].sum() > 0 for part in parts)
    return out
