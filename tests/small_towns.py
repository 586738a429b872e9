"""Small made-up towns for the coverage tests, and a plain networkx computation of who reaches what."""

from __future__ import annotations

from itertools import pairwise

import geopandas as gpd
import networkx as nx
import numpy as np
import shapely

CRS = 32650
ORIGIN = np.array([500_000.0, 4_400_000.0])


def at(xy):
    """Places given in metres from the corner of the town."""
    return ORIGIN + np.asarray(xy)


def random_town(seed, *, buildings=25, facilities=6, categories=("clinic", "school"), side=5, spacing=70.0, keep=0.8):
    """Buildings, facilities and streets: a bent lattice of streets with gaps, and things strewn over it."""
    rng = np.random.default_rng(seed)
    nodes = np.stack(np.meshgrid(np.arange(side), np.arange(side)), axis=-1).reshape(-1, 2) * spacing
    nodes = np.round(nodes + rng.normal(0, spacing / 6, nodes.shape), 3) + ORIGIN
    number = np.arange(side * side).reshape(side, side)
    pairs = np.concatenate(
        [
            np.column_stack([number[:, :-1].ravel(), number[:, 1:].ravel()]),
            np.column_stack([number[:-1].ravel(), number[1:].ravel()]),
        ]
    )
    kept = rng.random(len(pairs)) < keep
    kept[0] = True
    lines = [shapely.linestrings(nodes[pair]) for pair in pairs[kept]]
    streets = gpd.GeoDataFrame(
        {"class": "residential", "stairs": rng.random(len(lines)) < 0.15}, geometry=lines, crs=CRS
    )
    low, high = ORIGIN - spacing / 2, ORIGIN + (side - 0.5) * spacing
    homes = gpd.GeoDataFrame(
        {
            "building_id": [f"b{i:03d}" for i in range(buildings)],
            "households": rng.integers(0, 60, buildings),
            "community_id": rng.choice(["c1", "c2", "c3"], buildings),
        },
        geometry=gpd.points_from_xy(*rng.uniform(low, high, (buildings, 2)).T),
        crs=CRS,
    )
    services = gpd.GeoDataFrame(
        {
            "facility_id": [f"f{i:03d}" for i in range(facilities)],
            "category": [categories[i % len(categories)] for i in range(facilities)],
        },
        geometry=gpd.points_from_xy(*rng.uniform(low, high, (facilities, 2)).T),
        crs=CRS,
    )
    return homes, services, streets


def grid_city(blocks=16, spacing=90.0, *, seed=1, households=12):
    """A city of square blocks with a building every 22 m along its streets, and three clinics."""
    rng = np.random.default_rng(seed)
    far = blocks * spacing
    ticks = np.arange(blocks + 1) * spacing
    segments = [
        shapely.linestrings([[a, t], [b, t]] if across else [[t, a], [t, b]])
        for across in (True, False)
        for t in ticks
        for a, b in pairwise(ticks)
    ]
    streets = gpd.GeoDataFrame(
        {"class": ["residential"] * len(segments)},
        geometry=shapely.transform(np.array(segments), lambda xy: xy + ORIGIN),
        crs=CRS,
    )
    along = np.arange(11.0, far, 22.0)
    places = np.concatenate([[[x, t + 14], [t + 14, x]] for t in ticks for x in along])
    places = places[(places < far).all(axis=1)] + rng.normal(0, 2, ((places < far).all(axis=1).sum(), 2))
    homes = gpd.GeoDataFrame(
        {"building_id": [f"b{i:05d}" for i in range(len(places))], "households": households},
        geometry=shapely.points(places + ORIGIN),
        crs=CRS,
    )
    clinics = gpd.GeoDataFrame(
        {"facility_id": ["f1", "f2", "f3"], "category": "clinic"},
        geometry=shapely.points(np.array([[0.2, 0.3], [0.7, 0.35], [0.5, 0.8]]) * far + 7 + ORIGIN),
        crs=CRS,
    )
    return homes, clinics, streets


def plain_distances(homes, services, lines, *, node_ids=None, access_metres=50.0, paces=None):
    """Cost from each building to each facility, by networkx on split edges; the slow and obvious way.

    `lines` are (n, 2) arrays of vertices; they join where vertices have the same id, or the same place to 1 mm. Every
    building and every facility has a foot on each edge within range, or on the nearest one; edges are split at all
    feet. `paces` are costs of a metre on each line; a metre on a leg costs 1.
    """
    edges = []
    for number, xy in enumerate(lines):
        names = node_ids[number] if node_ids is not None else [tuple(p) for p in np.round(xy, 3)]
        pace = 1.0 if paces is None else paces[number]
        edges += [(names[i], names[i + 1], xy[i], xy[i + 1], pace) for i in range(len(xy) - 1)]
    a = np.array([edge[2] for edge in edges])
    b = np.array([edge[3] for edge in edges])
    feet = [_feet(point, a, b, access_metres) for point in (*homes, *services)]
    splits = {}
    for owner, rows in enumerate(feet):
        for edge, t, _ in rows:
            splits.setdefault(edge, []).append((t, ("foot", owner, edge)))
    graph = nx.Graph()
    for number, (u, v, p, q, pace) in enumerate(edges):
        chain = [(0.0, ("node", u)), *sorted(splits.get(number, [])), (1.0, ("node", v))]
        length = float(np.hypot(*(q - p))) * pace
        for (t0, first), (t1, second) in pairwise(chain):
            weight = (t1 - t0) * length
            if not graph.has_edge(first, second) or graph[first][second]["weight"] > weight:
                graph.add_edge(first, second, weight=weight)
    out = np.full((len(homes), len(services)), np.inf)
    for target in range(len(services)):
        owner = len(homes) + target
        graph.add_weighted_edges_from(("target", ("foot", owner, edge), leg) for edge, _, leg in feet[owner])
        cost = nx.single_source_dijkstra_path_length(graph, "target")
        graph.remove_node("target")
        for home in range(len(homes)):
            ways = [leg + cost.get(("foot", home, edge), np.inf) for edge, _, leg in feet[home]]
            out[home, target] = min(ways, default=np.inf)
    return out


def _feet(point, a, b, access_metres):
    """(edge, fraction, leg) for every edge within range of a point, or for the nearest."""
    delta = b - a
    square = (delta**2).sum(axis=1)
    t = np.clip(((point - a) * delta).sum(axis=1) / np.where(square > 0, square, 1), 0, 1)
    leg = np.hypot(*(a + t[:, None] * delta - point).T)
    near = np.flatnonzero(leg <= access_metres)
    if len(near) == 0:
        near = np.flatnonzero(leg <= leg.min() + 1e-9)
    return [(int(e), float(t[e]), float(leg[e])) for e in near]


def coordinates(table):
    """Points of a table as an array of x and y."""
    return shapely.get_coordinates(shapely.point_on_surface(np.asarray(table.geometry.array)))
