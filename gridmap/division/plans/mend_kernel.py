"""Compiled: sums over the subtrees of a tree, and whether a part hangs together without one of its atoms."""

from __future__ import annotations

import numpy as np

from gridmap.compiled import compiled


@compiled
def sums_below(order: np.ndarray, parent: np.ndarray, table: np.ndarray) -> None:
    """Add to each node's row of the table the rows of all nodes below it.

    Parameters
    ----------
    order, parent
        int32 (m,): nodes from the root down, and each one's parent (-1 at the root).
    table
        float64 (m, k), changed in place.
    """
    for i in range(len(order) - 1, 0, -1):
        v = order[i]
        p = parent[v]
        for k in range(table.shape[1]):
            table[p, k] += table[v, k]


@compiled
def whole_without(atom: int, label: np.ndarray, indptr: np.ndarray, neighbour: np.ndarray, joins: np.ndarray) -> bool:
    """Whether the part of an atom goes on being connected, and is not empty, without that atom.

    Parameters
    ----------
    atom
        Which one.
    label
        int64 (n,), part of each atom.
    indptr, neighbour, joins
        int32 (n + 1,), int32 (m,) and bool (m,): arcs in CSR order, and which of them join.
    """
    part = label[atom]
    # 0 not met, 1 wanted, 2 met
    state = np.zeros(len(label), np.int8)
    wanted, first = 0, -1
    for e in range(indptr[atom], indptr[atom + 1]):
        v = neighbour[e]
        if joins[e] and label[v] == part and state[v] == 0:
            state[v] = 1
            wanted += 1
            first = v
    if wanted == 0:
        return False
    todo = np.empty(len(label), np.int32)
    todo[0] = first
    count = 1
    wanted -= 1
    state[first] = 2
    state[atom] = 2
    while count > 0 and wanted > 0:
        count -= 1
        v = todo[count]
        for e in range(indptr[v], indptr[v + 1]):
            u = neighbour[e]
            if joins[e] and label[u] == part and state[u] < 2:
                if state[u] == 1:
                    wanted -= 1
                state[u] = 2
                todo[count] = u
                count += 1
    return wanted == 0
