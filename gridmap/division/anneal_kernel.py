"""Compiled: improve a division by moving atoms between touching parts, without ever breaking one.

The violation of the band is never made worse; at equal violation the shape is annealed (Kirkpatrick et al. 1983). The
energy, in units of one grid, is the sum over parts of

    (1 - Polsby-Popper) + balance * ((weight - target) / (upper - lower))^2

plus `streets` times the border between parts that lies off the streets, in lengths of a mean grid's side.
"""

from __future__ import annotations

import numpy as np

from gridmap.compiled import compiled

_LARGEST_MOVE = 48


@compiled
def random_unit(state: np.ndarray) -> float:
    """Next number in [0, 1) of a xorshift64* generator (Vigna 2016); `state` is uint64 (1,), changed in place."""
    x = state[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    state[0] = x
    return float((x * np.uint64(2685821657736338717)) >> np.uint64(11)) / 9007199254740992.0


@compiled
def _outside(weight: float, count: int, giants: int, lower: float, upper: float) -> tuple[int, float]:
    """Illegal parts, each giant (atom above upper) counted as one, and weight outside the band."""
    if count == 0:
        return 0, 0.0
    if weight < lower:
        return 1, lower - weight
    if weight > upper:
        return max(giants, 1), weight - upper
    return 0, 0.0


@compiled
def _shape(
    weight: float, area: float, perimeter: float, count: int, target: float, width: float, balance: float
) -> float:
    if count == 0:
        return 0.0
    unbalance = (weight - target) / width
    roundness = 12.566370614359172 * area / (perimeter * perimeter) if perimeter > 0 else 1.0
    return 1.0 - roundness + balance * unbalance * unbalance


@compiled
def stays_connected(
    moved: np.ndarray,
    count: int,
    part: int,
    size: int,
    label: np.ndarray,
    indptr: np.ndarray,
    neighbour: np.ndarray,
    joins: np.ndarray,
    stamp: np.ndarray,
    queue: np.ndarray,
    tick: int,
) -> bool:
    """Whether a part is still connected when the first `count` atoms of `moved` leave it.

    `stamp` (int64, n) and `queue` (int32, n) are scratch; `tick` and `tick + 1` must be new to `stamp`.
    """
    if count == size:
        return True
    for k in range(count):
        stamp[moved[k]] = tick
    border = 0
    first = -1
    for k in range(count):
        a = moved[k]
        for e in range(indptr[a], indptr[a + 1]):
            b = neighbour[e]
            if joins[e] and label[b] == part and stamp[b] < tick:
                stamp[b] = tick + 1
                border += 1
                first = b
    if border <= 1:
        return border == 1
    # Search from one neighbour; the part holds together when it meets all the others. Stamp tick + 2 is "seen".
    queue[0] = first
    stamp[first] = tick + 2
    head, tail, met = 0, 1, 1
    while head < tail:
        a = queue[head]
        head += 1
        for e in range(indptr[a], indptr[a + 1]):
            b = neighbour[e]
            if joins[e] and label[b] == part and stamp[b] != tick and stamp[b] != tick + 2:
                if stamp[b] == tick + 1:
                    met += 1
                    if met == border:
                        return True
                stamp[b] = tick + 2
                queue[tail] = b
                tail += 1
    return False


@compiled
def anneal(
    label: np.ndarray,
    parts: int,
    weight: np.ndarray,
    area: np.ndarray,
    perimeter: np.ndarray,
    indptr: np.ndarray,
    source: np.ndarray,
    neighbour: np.ndarray,
    border: np.ndarray,
    off_street: np.ndarray,
    joins: np.ndarray,
    block: np.ndarray,
    lower: float,
    upper: float,
    target: float,
    balance: float,
    streets: float,
    steps: int,
    hot: float,
    cold: float,
    state: np.ndarray,
) -> int:
    """Anneal `label` in place; every part stays connected and the violation never grows.

    Parameters
    ----------
    label
        int32 (n,), part of each atom, 0 ... parts - 1.
    weight, area, perimeter
        float64 (n,), households, m², m.
    indptr, source, neighbour, border, off_street, joins
        Arcs in CSR order: both ends (int32), shared border and the part of it off the streets (float64, m), and
        whether the border joins the two atoms (bool). Perimeter less all borders is the outer boundary.
    block
        int32 (n,), block of each atom: the rest of a block in a part may move as one.
    steps
        Number of proposals.
    hot, cold
        First and last temperature, in units of one grid; the schedule is geometric.
    state
        uint64 (1,), the random state.

    Returns
    -------
    int
        Number of accepted moves.
    """
    n, arcs = len(label), len(neighbour)
    part_weight, part_area, part_perimeter = np.zeros(parts), np.zeros(parts), np.zeros(parts)
    size, giants = np.zeros(parts, np.int64), np.zeros(parts, np.int64)
    total_area = 0.0
    for a in range(n):
        p = label[a]
        total_area += area[a]
        part_weight[p] += weight[a]
        part_area[p] += area[a]
        part_perimeter[p] += perimeter[a]
        size[p] += 1
        giants[p] += weight[a] > upper
        for e in range(indptr[a], indptr[a + 1]):
            if label[neighbour[e]] == p:
                part_perimeter[p] -= border[e]
    side = np.sqrt(total_area / parts)
    width = max(upper - lower, 1.0)
    stamp, queue = np.zeros(n, np.int64), np.empty(n, np.int32)
    inside = np.zeros(n, np.int64)
    moved = np.empty(_LARGEST_MOVE, np.int32)
    # Typed, since a kernel is compiled anew for a literal.
    one = int(np.int64(1))
    tick, accepted = one, 0
    cooling = (cold / hot) ** (1.0 / max(steps, 1))
    temperature = hot
    for step in range(steps):
        temperature *= cooling
        e = int(random_unit(state) * arcs)
        i, j = source[e], neighbour[e]
        p, q = label[i], label[j]
        if p == q or not joins[e]:
            continue
        # The atoms to move: one, a small ball, or what the part holds of the block.
        kind = random_unit(state)
        limit = 1
        by_block = False
        if kind > 0.9:
            limit = 2 + int(random_unit(state) * 7)
        elif kind > 0.75:
            limit, by_block = _LARGEST_MOVE, True
        mark = step + 1
        moved[0] = i
        inside[i] = mark
        count, head = one, 0
        while head < count < limit:
            a = moved[head]
            head += 1
            for k in range(indptr[a], indptr[a + 1]):
                b = neighbour[k]
                if (
                    joins[k]
                    and label[b] == p
                    and inside[b] != mark
                    and count < limit
                    and (not by_block or block[b] == block[i])
                ):
                    inside[b] = mark
                    moved[count] = b
                    count += 1
        set_weight, set_area, set_perimeter = 0.0, 0.0, 0.0
        to_p, to_q, off_p, off_q = 0.0, 0.0, 0.0, 0.0
        big = 0
        for k in range(count):
            a = moved[k]
            set_weight += weight[a]
            set_area += area[a]
            big += weight[a] > upper
            set_perimeter += perimeter[a]
            for e in range(indptr[a], indptr[a + 1]):
                b = neighbour[e]
                if inside[b] == mark:
                    set_perimeter -= border[e]
                elif label[b] == p:
                    to_p += border[e]
                    off_p += off_street[e]
                elif label[b] == q:
                    to_q += border[e]
                    off_q += off_street[e]
        new_p, new_q = part_weight[p] - set_weight, part_weight[q] + set_weight
        bad_p, out_p = _outside(part_weight[p], size[p], giants[p], lower, upper)
        bad_q, out_q = _outside(part_weight[q], size[q], giants[q], lower, upper)
        new_bad_p, new_out_p = _outside(new_p, size[p] - count, giants[p] - big, lower, upper)
        new_bad_q, new_out_q = _outside(new_q, size[q] + count, giants[q] + big, lower, upper)
        worse = (new_bad_p + new_bad_q) - (bad_p + bad_q)
        if worse == 0:
            more = (new_out_p + new_out_q) - (out_p + out_q)
            worse = 1 if more > 1e-9 else (-1 if more < -1e-9 else 0)
        if worse > 0:
            continue
        area_p, area_q = part_area[p] - set_area, part_area[q] + set_area
        perimeter_p = part_perimeter[p] - set_perimeter + 2.0 * to_p
        perimeter_q = part_perimeter[q] + set_perimeter - 2.0 * to_q
        if worse == 0:
            change = (
                _shape(new_p, area_p, perimeter_p, size[p] - count, target, width, balance)
                + _shape(new_q, area_q, perimeter_q, size[q] + count, target, width, balance)
                - _shape(part_weight[p], part_area[p], part_perimeter[p], size[p], target, width, balance)
                - _shape(part_weight[q], part_area[q], part_perimeter[q], size[q], target, width, balance)
                + streets * (off_p - off_q) / side
            )
            if change > 0 and random_unit(state) >= np.exp(-change / temperature):
                continue
        if not stays_connected(moved, count, p, size[p], label, indptr, neighbour, joins, stamp, queue, tick):
            tick += 3
            continue
        tick += 3
        for k in range(count):
            label[moved[k]] = q
        part_weight[p], part_weight[q] = new_p, new_q
        part_area[p], part_area[q] = area_p, area_q
        part_perimeter[p], part_perimeter[q] = perimeter_p, perimeter_q
        size[p] -= count
        size[q] += count
        giants[p] -= big
        giants[q] += big
        accepted += 1
    return accepted
