"""Hierarchy: the nodes in an order in which a search goes up and down once, in place of Dijkstra's heap.

Nodes are taken out one by one, those with the fewest neighbours first, and the neighbours of each are joined by what it
costs to go through it. Every least way then leads up the order and down again, so that all nodes learn their nearest
target by two runs over the arcs: from each node to those that went out after it, and back. On streets, most of whose
nodes are bends, two to three arcs a node are enough. The order is by degree alone (minimum degree elimination) and the
weights follow it, as in customizable contraction hierarchies (Dibbelt, Strasser, Wagner, ACM JEA 21, 2016); the sweep
is that of PHAST (Delling, Goldberg, Nowatzyk, Werneck, JPDC 73, 2013).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from gridmap.network.graph import Arcs

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int32]

__all__ = ["Hierarchy", "build_hierarchy"]


class Hierarchy(NamedTuple):
    """The nodes in order, and the arcs from each to those that come after it.

    Those of node ``order[i]`` are ``ptr[i]:ptr[i + 1]`` of `node`, the one at the other end, and of `in_cost`,
    `in_other`, `out_cost`, `out_other`: what it costs to come from there and to go there, infinite where one-way
    forbids it. Without one-way in and out are the same arrays.
    """

    order: Ints
    ptr: npt.NDArray[np.int64]
    node: Ints
    in_cost: Floats
    in_other: Floats
    out_cost: Floats
    out_other: Floats


def build_hierarchy(arcs: Arcs, by: str) -> Hierarchy:
    """The hierarchy of a graph for searches by one measure, ``"minutes"`` or ``"metres"``."""
    from gridmap.network.hierarchy_kernel import eliminate

    one, two = (arcs.metres_in, arcs.metres_out), (arcs.seconds_in, arcs.seconds_out)
    cost, other = (two, one) if by == "minutes" else (one, two)
    order, ptr, node, way = eliminate(arcs.indptr, arcs.node, np.column_stack((cost[0], other[0], cost[1], other[1])))
    come = np.ascontiguousarray(way[:, 0]), np.ascontiguousarray(way[:, 1])
    if arcs.metres_in is arcs.metres_out:
        return Hierarchy(order, ptr, node, *come, *come)
    return Hierarchy(order, ptr, node, *come, np.ascontiguousarray(way[:, 2]), np.ascontiguousarray(way[:, 3]))
