"""`partition`: the division engine on ready-made lots."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from gridmap.division.ground.borders import SHORTEST_JOIN
from gridmap.division.search.certificates import certify
from gridmap.division.search.components import divide_connected
from gridmap.division.search.cures import proof_cures
from gridmap.division.search.engine import NO_PAIRS, Band, Effort, Lots
from gridmap.division.search.shape import NO_STOPS
from gridmap.errors import OptionError
from gridmap.tables.findings import AttachedFindings, finding, findings_table
from gridmap.workers import map_tasks

if TYPE_CHECKING:
    from concurrent.futures import Executor

    import geopandas as gpd

__all__ = ["check_band", "lots_from_borders", "partition", "partition_lots"]


def partition(
    lots: gpd.GeoDataFrame,
    *,
    adjacency: Any = None,
    weight: str | pd.Series = "households",
    lower: float = 300,
    upper: float = 500,
    effort: Effort = "normal",
    seed: int = 0,
) -> pd.Series:
    """Group lots into connected parts whose weight lies within a band.

    The number of parts is the engine's own choice. In order of importance: few parts outside the band, little weight
    outside it, then a mix of compact shape and balance.

    Parameters
    ----------
    lots
        Polygons in a metric CRS, one row a lot; its index labels the lots.
    adjacency
        Symmetric scipy sparse matrix in the order of `lots`; every stored entry joins two lots, its value is the
        length of their shared border in metres. Without it, lots are joined by shared borders of at least 3 m.
    weight
        Column of `lots`, or a Series on its index: 0 or more, finite.
    lower, upper
        The band, both ends included.
    effort
        ``"low"``, ``"normal"`` or ``"high"``: a number of iterations, never of seconds.
    seed
        Of the random numbers: the same input, seed and versions give the same parts.

    Returns
    -------
    Series
        Part label (0, 1, 2 ...) of each lot. ``.attrs["findings"]`` is a table with a row for each part outside the
        band.

    Raises
    ------
    OptionError
        When the band, the weights or the adjacency cannot work.

    Examples
    --------
    >>> import geopandas as gpd
    >>> from shapely import box
    >>> lots = gpd.GeoDataFrame(
    ...     {"households": [200] * 4}, geometry=[box(50 * i, 0, 50 * i + 50, 50) for i in range(4)], crs=32650
    ... )
    >>> partition(lots).tolist()
    [0, 0, 1, 1]
    """
    band = check_band(lower, upper)
    weights = _weights(lots, weight)
    geometry = np.asarray(lots.geometry.array)
    if adjacency is None:
        a, b, metres = _shared_borders(geometry)
        joins = metres >= SHORTEST_JOIN
    else:
        a, b, metres = _stored_borders(adjacency, len(lots))
        joins = np.ones(len(a), bool)
    # Lots know of no streets: no border counts as off one.
    arrays = lots_from_borders(weights, shapely.area(geometry), shapely.length(geometry), a, b, metres, metres, joins)
    labels = partition_lots(arrays, band, effort=effort, seed=seed)
    out = pd.Series(_in_order_of_appearance(labels), index=lots.index, name="part")
    rows = _band_findings(out.to_numpy(), arrays, band, lots.index, geometry)
    out.attrs["findings"] = AttachedFindings(findings_table(rows, crs=lots.crs))
    return out


def partition_lots(
    lots: Lots, band: Band, *, effort: Effort = "normal", seed: int = 0, executor: Executor | None = None
) -> np.ndarray:
    """Divide each connected component, on the executor or in threads; labels are unique over all of them."""
    count, component = lots.components()
    order = np.argsort(component, kind="stable")
    groups = np.split(order, np.cumsum(np.bincount(component, minlength=count))[:-1])
    divide = partial(divide_connected, band=band, effort=effort, seed=seed)
    pieces = [lots.part(atoms) for atoms in groups]
    labels = np.empty(len(lots.weight), np.int32)
    used = 0
    for atoms, part in zip(groups, map_tasks(divide, pieces, executor), strict=True):
        labels[atoms] = part + used
        used += int(part.max()) + 1
    return labels


def lots_from_borders(
    weight: np.ndarray,
    area: np.ndarray,
    perimeter: np.ndarray,
    a: np.ndarray,
    b: np.ndarray,
    metres: np.ndarray,
    on_street: np.ndarray,
    joins: np.ndarray,
    apart: np.ndarray = NO_PAIRS,
    stops: np.ndarray = NO_STOPS,
) -> Lots:
    """Arrays of the engine from a list of borders, each pair of atoms once."""
    n = len(weight)
    source, neighbour = np.r_[a, b].astype(np.int32), np.r_[b, a].astype(np.int32)
    order = np.lexsort((neighbour, source))
    border = np.maximum(np.r_[metres, metres][order].astype(np.float64), 0.0)
    off_street = np.maximum(border - np.r_[on_street, on_street][order], 0.0)
    joined = np.r_[joins, joins][order].astype(bool)
    indptr = np.r_[0, np.cumsum(np.bincount(source, minlength=n))].astype(np.int32)
    return Lots(
        np.asarray(weight, np.float64),
        np.asarray(area, np.float64),
        np.asarray(perimeter, np.float64),
        _blocks(n, source[order], neighbour[order], off_street, border, joined),
        indptr,
        neighbour[order],
        border,
        off_street,
        joined,
        apart,
        stops,
    )


def check_band(lower: float, upper: float) -> Band:
    """The band, or an `OptionError` when there is no weight within it."""
    if not (np.isfinite(lower) and np.isfinite(upper) and 0 <= lower <= upper and upper > 0):
        raise OptionError(f"the band needs 0 <= lower <= upper, not lower={lower!r}, upper={upper!r}")
    return Band(lower, upper)


def _band_findings(
    labels: np.ndarray, lots: Lots, band: Band, ids: pd.Index, geometry: np.ndarray
) -> list[dict[str, Any]]:
    names = np.array([str(i) for i in ids], dtype=object)
    rows = []
    for part, certificate in certify(labels, lots, band, names).items():
        atoms = labels == part
        weight = certificate["weight"]
        above = weight > band.upper
        by = weight - band.upper if above else band.lower - weight
        side = "above" if above else "below"
        rows.append(
            finding(
                "error",
                "household_band",
                f"Part {part} holds {weight:g}, {by:g} {side} the band {band.lower:g}-{band.upper:g}.",
                status=side,
                cure=_cure(certificate),
                ids=names[atoms],
                certificate=certificate,
                geometry=shapely.union_all(geometry[atoms]),
            )
        )
    return rows


def _cure(certificate: dict[str, Any]) -> str:
    cures = proof_cures(certificate, "lot")
    if certificate["kind"] == "not_found":
        cures = ["try effort='high', or another seed"]
    cures.append(f"accept {certificate['weight']:g}")
    text = "; or ".join(cures)
    return text[:1].upper() + text[1:] + "."


def _weights(lots: gpd.GeoDataFrame, weight: str | pd.Series) -> np.ndarray:
    if isinstance(weight, str):
        if weight not in lots.columns:
            raise OptionError(f"lots have no column {weight!r}; they have {', '.join(map(str, lots.columns))}")
        values = lots[weight]
    else:
        values = weight.reindex(lots.index)
    numbers = pd.to_numeric(values, errors="coerce").to_numpy(np.float64)
    wrong = ~np.isfinite(numbers) | (numbers < 0)
    if wrong.any():
        rows = ", ".join(str(i) for i in lots.index[wrong][:10])
        raise OptionError(f"weights must be numbers, 0 or more; {wrong.sum()} are not, in rows {rows}")
    return numbers


def _stored_borders(adjacency: Any, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    from scipy.sparse import coo_array, issparse

    if not issparse(adjacency) or adjacency.shape != (n, n):
        raise OptionError(f"adjacency must be a scipy sparse matrix of shape ({n}, {n})")
    # Not symmetrised: an entry stored on one side only joins as well.
    entries = coo_array(adjacency)
    a, b = (end.astype(np.int64) for end in entries.coords)
    key, metres = np.minimum(a, b) * n + np.maximum(a, b), entries.data.astype(np.float64)
    order = np.lexsort((-metres, key))
    order = order[(a != b)[order]]
    first = order[np.r_[True, key[order][1:] != key[order][:-1]]] if len(order) else order
    return key[first] // n, key[first] % n, metres[first]


def _shared_borders(geometry: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    a, b = shapely.STRtree(geometry).query(geometry, predicate="intersects")
    a, b = a[a < b], b[a < b]
    metres = shapely.length(shapely.intersection(shapely.boundary(geometry[a]), shapely.boundary(geometry[b])))
    touching = metres > 0
    return a[touching], b[touching], metres[touching]


def _blocks(
    n: int, source: np.ndarray, neighbour: np.ndarray, off_street: np.ndarray, border: np.ndarray, joins: np.ndarray
) -> np.ndarray:
    """Atoms that are joined by borders off the streets lie in one block."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    same = joins & (off_street > 0.5 * border)
    matrix = coo_array((np.ones(same.sum()), (source[same], neighbour[same])), shape=(n, n))
    return connected_components(matrix, directed=False)[1].astype(np.int32)


def _in_order_of_appearance(labels: np.ndarray) -> np.ndarray:
    return pd.factorize(labels)[0]
