"""Compiled: improve a division by moving atoms between touching parts, without ever breaking one.

The violation of the band is never made worse; at equal violation the shape is annealed (Kirkpatrick et al. 1983). The
energy, in units of one grid, is the sum over parts of

    (1 - Polsby-Popper) + balance * ((weight - target) / (upper - lower))^2 + tours * (tour / that of an even grid)

plus `streets` times the border between parts that lies off the streets, in lengths of a mean grid's side. The tour is
the estimate of `shape.shape_cost`.

A proposal takes one of the arcs that lie between two parts, and moves the atom at its start, a small ball around it, or
what its part holds of its block, to the part at its end.
"""

from __future__ import annotations

import numpy as np

from gridmap.compiled import compiled

_LARGEST_MOVE = 48
# Neighbours of an atom that a bit mask has room for; atoms with more are always searched from.
_BITS = 64


@compiled
def random_bits(state: np.ndarray) -> int:
    """Next 64 bits of a xorshift64* generator (Vigna 2016); `state` is uint64 (1,), changed in place."""
    x = state[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    state[0] = x
    return x * np.uint64(2685821657736338717)


@compiled
def random_unit(state: np.ndarray) -> float:
    """Next number in [0, 1)."""
    return float(random_bits(state) >> np.uint64(11)) / 9007199254740992.0


@compiled
def rings(indptr: np.ndarray, neighbour: np.ndarray, joins: np.ndarray) -> np.ndarray:
    """Which neighbours of an atom are joined to each other.

    Returns
    -------
    ndarray
        uint64, one an arc i -> b: bit k is set when b is joined to the k-th neighbour of i. The first 64 count.
    """
    n = len(indptr) - 1
    ring = np.zeros(len(neighbour), np.uint64)
    place, owner = np.zeros(n, np.int64), np.full(n, -1, np.int64)
    for i in range(n):
        for e in range(indptr[i], min(indptr[i + 1], indptr[i] + _BITS)):
            if joins[e]:
                owner[neighbour[e]] = i
                place[neighbour[e]] = e - indptr[i]
        for e in range(indptr[i], indptr[i + 1]):
            b = neighbour[e]
            mask = np.uint64(0)
            for f in range(indptr[b], indptr[b + 1]):
                c = neighbour[f]
                if joins[f] and owner[c] == i:
                    mask |= np.uint64(1) << np.uint64(place[c])
            ring[e] = mask
    return ring


@compiled
def _ring_holds(
    i: int, part: int, label: np.ndarray, indptr: np.ndarray, neighbour: np.ndarray, joins: np.ndarray, ring: np.ndarray
) -> bool:
    """Whether the neighbours of atom i in a part hold together among themselves: then the part does without i."""
    first, last = indptr[i], indptr[i + 1]
    if last - first > _BITS:
        return False
    inside = np.uint64(0)
    for e in range(first, last):
        if joins[e] and label[neighbour[e]] == part:
            inside |= np.uint64(1) << np.uint64(e - first)
    seen = inside & (~inside + np.uint64(1))
    grown = True
    while grown:
        grown = False
        for e in range(first, last):
            bit = np.uint64(1) << np.uint64(e - first)
            if inside & bit and not seen & bit and ring[e] & seen:
                seen |= bit
                grown = True
    return seen == inside and inside != np.uint64(0)


@compiled
def _root(of: np.ndarray, i: int) -> int:
    while of[i] != i:
        of[i] = of[of[i]]
        i = of[i]
    return i


@compiled
def stays_connected(
    moved: np.ndarray,
    count: int,
    part: int,
    label: np.ndarray,
    indptr: np.ndarray,
    neighbour: np.ndarray,
    joins: np.ndarray,
    stamp: np.ndarray,
    front: np.ndarray,
    queue: np.ndarray,
    same: np.ndarray,
    waiting: np.ndarray,
    tick: int,
) -> bool:
    """Whether the rest of a part holds together when the first `count` atoms of `moved` leave it.

    Searches from all neighbours of what leaves at once, in turns, until they have all met or one of them is closed in:
    the cost is that of the smaller piece, not of the part.

    `stamp` (int64, n), `front`, `queue`, `same` and `waiting` (int32, n) are scratch; `tick` and `tick + 1` must be new
    to `stamp`.
    """
    for k in range(count):
        stamp[moved[k]] = tick
    tail = 0
    for k in range(count):
        a = moved[k]
        for e in range(indptr[a], indptr[a + 1]):
            b = neighbour[e]
            if joins[e] and label[b] == part and stamp[b] < tick:
                stamp[b] = tick + 1
                front[b] = same[tail] = tail
                waiting[tail] = 1
                queue[tail] = b
                tail += 1
    pieces, head = tail, 0
    while pieces > 1:
        a = queue[head]
        head += 1
        f = _root(same, front[a])
        waiting[f] -= 1
        for e in range(indptr[a], indptr[a + 1]):
            b = neighbour[e]
            if not joins[e] or label[b] != part or stamp[b] == tick:
                continue
            if stamp[b] == tick + 1:
                g = _root(same, front[b])
                if g != f:
                    same[g] = f
                    waiting[f] += waiting[g]
                    pieces -= 1
            else:
                stamp[b] = tick + 1
                front[b] = f
                waiting[f] += 1
                queue[tail] = b
                tail += 1
        if waiting[f] == 0 and pieces > 1:
            return False
    return True


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
def _spread(part_stops: np.ndarray, p: int, moved_stops: np.ndarray, sign: float) -> float:
    """Root of the moment of inertia of a part's stops, once those that move are added (sign 1) or gone (-1)."""
    count = part_stops[p, 0] + sign * moved_stops[0]
    if count <= 0:
        return 0.0
    x, y = part_stops[p, 1] + sign * moved_stops[1], part_stops[p, 2] + sign * moved_stops[2]
    return np.sqrt(max(part_stops[p, 3] + sign * moved_stops[3] - (x * x + y * y) / count, 0.0))


@compiled
def _list_arc(e: int, between: bool, cut: np.ndarray, at: np.ndarray, count: int) -> int:
    """Put an arc on the list of those between parts, or take it off; returns the new length."""
    if between and at[e] < 0:
        cut[count] = e
        at[e] = count
        return count + 1
    if not between and at[e] >= 0:
        last = cut[count - 1]
        cut[at[e]] = last
        at[last] = at[e]
        at[e] = -1
        return count - 1
    return count


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
    twin: np.ndarray,
    border: np.ndarray,
    off_street: np.ndarray,
    joins: np.ndarray,
    block: np.ndarray,
    stops: np.ndarray,
    first_foe: np.ndarray,
    foe: np.ndarray,
    lower: float,
    upper: float,
    target: float,
    balance: float,
    streets: float,
    tours: float,
    steps: int,
    hot: float,
    cold: float,
    state: np.ndarray,
) -> float:
    """Anneal `label` in place; every part stays connected and the violation never grows.

    Parameters
    ----------
    label
        int32 (n,), part of each atom, 0 ... parts - 1.
    weight, area, perimeter
        float64 (n,), households, m², m.
    indptr, source, neighbour, twin, border, off_street, joins
        Arcs in CSR order: both ends and the same border's other arc (int32), shared border and the part of it off the
        streets (float64, m), and whether the border joins the two atoms (bool). Perimeter less all borders is the outer
        boundary.
    block
        int32 (n,), block of each atom: the rest of a block in a part may move as one.
    stops
        float64 (n, 4), what is called at in each atom (`shape.stops_at`), or (0, 4): then tours count nothing.
    first_foe, foe
        int32 (n + 1,) and int32: the atoms that may not share a part with an atom, in CSR order.
    steps
        Number of proposals.
    hot, cold
        First and last temperature, in units of one grid; the schedule is geometric.
    state
        uint64 (1,), the random state.

    Returns
    -------
    float
        Energy at the end as it was kept up to date from move to move, but for the borders off the streets.
    """
    n, arcs = len(label), len(neighbour)
    part_weight, part_area, part_perimeter = np.zeros(parts), np.zeros(parts), np.zeros(parts)
    part_stops, moved_stops = np.zeros((parts, 4)), np.zeros(4)
    size, giants = np.zeros(parts, np.int64), np.zeros(parts, np.int64)
    cut, at = np.empty(arcs, np.int32), np.full(arcs, -1, np.int32)
    # Typed, since a kernel is compiled anew for a literal.
    one = int(np.int64(1))
    between = one - one
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
            elif joins[e]:
                between = _list_arc(e, True, cut, at, between)
    side = np.sqrt(total_area / parts)
    for a in range(len(stops)):
        for m in range(4):
            part_stops[label[a], m] += stops[a, m]
    all_stops = part_stops[:, 0].sum()
    tours = tours * np.sqrt(2 * np.pi * parts / all_stops) / side if all_stops > 0 and side > 0 else 0.0
    width = max(upper - lower, 1.0)
    bad, out = np.zeros(parts, np.int64), np.zeros(parts)
    shape = np.zeros(parts)
    for p in range(parts):
        bad[p], out[p] = _outside(part_weight[p], size[p], giants[p], lower, upper)
        shape[p] = _shape(part_weight[p], part_area[p], part_perimeter[p], size[p], target, width, balance)
        shape[p] += tours * _spread(part_stops, p, moved_stops, 0.0)
    ring = rings(indptr, neighbour, joins)
    stamp, queue, front = np.zeros(n, np.int64), np.empty(n, np.int32), np.empty(n, np.int32)
    same, waiting = np.empty(n, np.int32), np.empty(n, np.int32)
    inside = np.zeros(n, np.int64)
    moved = np.empty(_LARGEST_MOVE, np.int32)
    tick = one
    cooling = (cold / hot) ** (1.0 / max(steps, 1))
    temperature = hot
    for step in range(steps):
        if between == 0:
            break
        temperature *= cooling
        bits = random_bits(state)
        e = cut[int((bits >> np.uint64(32)) * np.uint64(between) >> np.uint64(32))]
        i, j = source[e], neighbour[e]
        p, q = label[i], label[j]
        # The atoms to move: one, a small ball, or what the part holds of the block.
        kind = bits & np.uint64(1023)
        limit = 1
        by_block = False
        if kind >= np.uint64(920):
            limit = 2 + int((bits >> np.uint64(10)) & np.uint64(7))
        elif kind >= np.uint64(768):
            limit, by_block = _LARGEST_MOVE, True
        # What q can still take and p still give, when both are within the band.
        room = np.inf
        if bad[p] == 0 and bad[q] == 0:
            room = min(part_weight[p] - lower, upper - part_weight[q]) if limit < size[p] else upper - part_weight[q]
        mark = step + 1
        moved[0] = i
        inside[i] = mark
        count, head = one, 0
        set_weight = weight[i]
        while head < count < limit and set_weight <= room:
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
                    set_weight += weight[b]
                    count += 1
        if set_weight > room and count < size[p]:
            continue
        big = 0
        if giants[p] > 0:
            for k in range(count):
                big += weight[moved[k]] > upper
        new_p, new_q = part_weight[p] - set_weight, part_weight[q] + set_weight
        new_bad_p, new_out_p = _outside(new_p, size[p] - count, giants[p] - big, lower, upper)
        new_bad_q, new_out_q = _outside(new_q, size[q] + count, giants[q] + big, lower, upper)
        worse = (new_bad_p + new_bad_q) - (bad[p] + bad[q])
        for k in range(count):
            for f in range(first_foe[moved[k]], first_foe[moved[k] + 1]):
                # More than there are parts: pairs come before the band.
                if label[foe[f]] == q:
                    worse += n
                elif label[foe[f]] == p and inside[foe[f]] != mark:
                    worse -= n
        if worse == 0:
            more = (new_out_p + new_out_q) - (out[p] + out[q])
            worse = 1 if more > 1e-9 else (-1 if more < -1e-9 else 0)
        if worse > 0:
            continue
        set_area, set_perimeter = 0.0, 0.0
        to_p, to_q, off = 0.0, 0.0, 0.0
        for k in range(count):
            a = moved[k]
            set_area += area[a]
            set_perimeter += perimeter[a]
            for e in range(indptr[a], indptr[a + 1]):
                b = neighbour[e]
                if label[b] == q:
                    to_q += border[e]
                    off -= off_street[e]
                elif label[b] == p:
                    if inside[b] == mark:
                        set_perimeter -= border[e]
                    else:
                        to_p += border[e]
                        off += off_street[e]
        area_p, area_q = part_area[p] - set_area, part_area[q] + set_area
        perimeter_p = part_perimeter[p] - set_perimeter + 2.0 * to_p
        perimeter_q = part_perimeter[q] + set_perimeter - 2.0 * to_q
        shape_p = _shape(new_p, area_p, perimeter_p, size[p] - count, target, width, balance)
        shape_q = _shape(new_q, area_q, perimeter_q, size[q] + count, target, width, balance)
        if tours > 0:
            moved_stops[:] = 0.0
            for k in range(count):
                for m in range(4):
                    moved_stops[m] += stops[moved[k], m]
            shape_p += tours * _spread(part_stops, p, moved_stops, -1.0)
            shape_q += tours * _spread(part_stops, q, moved_stops, 1.0)
        if worse == 0:
            change = shape_p + shape_q - shape[p] - shape[q] + streets * off / side
            if change > 0 and (change > 16 * temperature or random_unit(state) >= np.exp(-change / temperature)):
                continue
        if not (count == 1 and _ring_holds(i, p, label, indptr, neighbour, joins, ring)):
            tick += 2
            if not stays_connected(
                moved, count, p, label, indptr, neighbour, joins, stamp, front, queue, same, waiting, tick
            ):
                continue
        for k in range(count):
            label[moved[k]] = q
        for k in range(count):
            a = moved[k]
            for e in range(indptr[a], indptr[a + 1]):
                if joins[e]:
                    apart = label[neighbour[e]] != q
                    between = _list_arc(e, apart, cut, at, between)
                    between = _list_arc(twin[e], apart, cut, at, between)
        part_weight[p], part_weight[q] = new_p, new_q
        part_area[p], part_area[q] = area_p, area_q
        part_perimeter[p], part_perimeter[q] = perimeter_p, perimeter_q
        if tours > 0:
            part_stops[p] -= moved_stops
            part_stops[q] += moved_stops
        shape[p], shape[q] = shape_p, shape_q
        bad[p], bad[q], out[p], out[q] = new_bad_p, new_bad_q, new_out_p, new_out_q
        size[p] -= count
        size[q] += count
        giants[p] -= big
        giants[q] += big
    return shape.sum()
