"""Kernel: which edges a place reaches by a straight leg, the legs tested against walls and barriers.

Plain arrays throughout. `pieces` are edges, or parts of edges that differ in the compound they lie in:

- ``piece_xy`` (m, 4) float64: ax, ay, bx, by of the *whole* edge, metres; a leg ends at the projection on it.
- ``piece_part`` (m, 2) float64: from where to where along the edge (0 to 1) the piece goes.
- ``piece_edge``, ``piece_side`` (m,) int32: its edge; the compound it lies in, -1 for outside.
- ``frame`` (3,) float64, ``shape`` (2,) int64, ``start``, ``item``: the ground index over the pieces (x0, y0, side; nx,
  ny; see `ground_index`), and with the prefix ``wall_`` the same over the walls.
- ``wall_xy`` (w, 4) float64; ``wall_of`` (w,) int32: the compound that a wall belongs to, -1 for a barrier.
"""

from __future__ import annotations

import numpy as np

from gridmap.compiled import compiled

# A leg that only touches a wall does not cross it: an end this close to the wall's line counts as on it. Metres.
TOUCH = 1e-3
# A gate opens its wall this far around it; DESIGN, section 6. Metres.
GATE_WIDTH = 1.0
# Edges whose distance differs by less are equally near. Metres.
TIE = 1e-9

OK, FAR, UNSNAPPED = 0, 1, 2


@compiled
def crosses(
    px: float,
    py: float,
    qx: float,
    qy: float,
    gate_of: int | np.int32,
    wall_xy: np.ndarray,
    wall_of: np.ndarray,
    frame: np.ndarray,
    shape: np.ndarray,
    start: np.ndarray,
    item: np.ndarray,
) -> bool:
    """Whether the straight leg from p to q crosses a wall.

    With ``gate_of`` >= 0 the leg starts at a gate of that compound, and its wall does not count within `GATE_WIDTH`.
    """
    if len(wall_of) == 0:
        return False
    dx, dy = qx - px, qy - py
    length = np.hypot(dx, dy)
    if length <= TOUCH:
        return False
    x0, y0, side = frame[0], frame[1], frame[2]
    nx, ny = shape[0], shape[1]
    low, high = min(py, qy) - 1e-6, max(py, qy) + 1e-6
    j_first = max(int(np.floor((low - y0) / side)), 0)
    j_last = min(int(np.floor((high - y0) / side)), ny - 1)
    for jj in range(j_first, j_last + 1):
        # cells in the order of the leg, so that a wall close to p ends the search early
        j = jj if dy >= 0 else j_last - (jj - j_first)
        a, b = px, qx
        if abs(dy) > 1e-12:
            s = (y0 + j * side - 1e-6 - py) / dy
            t = (y0 + (j + 1) * side + 1e-6 - py) / dy
            a = px + min(max(s, 0.0), 1.0) * dx
            b = px + min(max(t, 0.0), 1.0) * dx
        i_first = max(int(np.floor((min(a, b) - 1e-6 - x0) / side)), 0)
        i_last = min(int(np.floor((max(a, b) + 1e-6 - x0) / side)), nx - 1)
        for ii in range(i_first, i_last + 1):
            i = ii if dx >= 0 else i_last - (ii - i_first)
            for k in range(start[j * nx + i], start[j * nx + i + 1]):
                w = item[k]
                ax, ay = wall_xy[w, 0], wall_xy[w, 1]
                wx, wy = wall_xy[w, 2] - ax, wall_xy[w, 3] - ay
                wall_length = np.hypot(wx, wy)
                across = dx * wy - dy * wx
                if across == 0.0 or wall_length == 0.0:
                    continue
                off_p = ((px - ax) * wy - (py - ay) * wx) / wall_length
                off_q = ((qx - ax) * wy - (qy - ay) * wx) / wall_length
                if off_p * off_q >= 0.0 or abs(off_p) <= TOUCH or abs(off_q) <= TOUCH:
                    continue
                along = ((ax - px) * dy - (ay - py) * dx) / across
                if along < -1e-12 or along > 1.0 + 1e-12:
                    continue
                if gate_of >= 0 and wall_of[w] == gate_of and length * off_p / (off_p - off_q) <= GATE_WIDTH:
                    continue
                return True
    return False


@compiled
def within(x: float, y: float, compound: int, wall_xy: np.ndarray, wall_of: np.ndarray) -> bool:
    """Whether a place lies inside a compound and not on its wall; walls stand in the order of their compounds."""
    low, high = 0, len(wall_of)
    while low < high:
        middle = (low + high) // 2
        if 0 <= wall_of[middle] < compound:
            low = middle + 1
        else:
            high = middle
    inside = False
    while low < len(wall_of) and wall_of[low] == compound:
        ax, ay, bx, by = wall_xy[low]
        ex, ey = bx - ax, by - ay
        square = ex * ex + ey * ey
        t = min(max(((x - ax) * ex + (y - ay) * ey) / square, 0.0), 1.0) if square > 0.0 else 0.0
        if np.hypot(ax + t * ex - x, ay + t * ey - y) <= TOUCH:
            return False
        if (ay > y) != (by > y) and x < ax + (y - ay) / ey * ex:
            inside = not inside
        low += 1
    return inside


@compiled
def blocked_legs(
    p: np.ndarray,
    q: np.ndarray,
    wall_xy: np.ndarray,
    wall_of: np.ndarray,
    wall_frame: np.ndarray,
    wall_shape: np.ndarray,
    wall_start: np.ndarray,
    wall_item: np.ndarray,
) -> np.ndarray:
    """For straight legs p[i] to q[i], both (n, 2) float64 metres, whether each crosses a wall."""
    out = np.zeros(len(p), dtype=np.bool_)
    for i in range(len(p)):
        out[i] = crosses(
            p[i, 0], p[i, 1], q[i, 0], q[i, 1], np.int32(-1),  # of the type that gates have
            wall_xy, wall_of, wall_frame, wall_shape, wall_start, wall_item,
        )  # fmt: skip
    return out


@compiled
def shut_in(
    px: float,
    py: float,
    gate_of: int,
    metres: float,
    begins: np.ndarray,
    ends: np.ndarray,
    wall_xy: np.ndarray,
    wall_of: np.ndarray,
    frame: np.ndarray,
    shape: np.ndarray,
    start: np.ndarray,
    item: np.ndarray,
) -> bool:
    """Whether walls within some metres of p stand all around it, so that no longer leg gets out.

    `begins` and `ends` are room for directions; more walls than they hold are not looked at, which errs towards no.
    """
    x0, y0, side = frame[0], frame[1], frame[2]
    found = 0
    for j in range(max(int((py - metres - y0) / side), 0), min(int((py + metres - y0) / side), shape[1] - 1) + 1):
        for i in range(max(int((px - metres - x0) / side), 0), min(int((px + metres - x0) / side), shape[0] - 1) + 1):
            for k in range(start[j * shape[0] + i], start[j * shape[0] + i + 1]):
                w = item[k]
                ax, ay, bx, by = wall_xy[w, 0] - px, wall_xy[w, 1] - py, wall_xy[w, 2] - px, wall_xy[w, 3] - py
                if np.hypot(ax, ay) > metres or np.hypot(bx, by) > metres or found == len(begins):
                    continue
                turn = ax * by - ay * bx
                # a wall that p lies on, or the gate's own, does not shut it in
                if abs(turn) <= TOUCH * np.hypot(bx - ax, by - ay) or (gate_of >= 0 and wall_of[w] == gate_of):
                    continue
                a, b = np.arctan2(ay, ax), np.arctan2(by, bx)
                begins[found] = a if turn > 0 else b
                ends[found] = b if turn > 0 else a
                found += 1
    if found < 3:
        return False
    # go around by always taking the wall that leads furthest on
    full = 2 * np.pi
    here, gone = begins[0], 0.0
    while gone < full - 1e-12:
        step, there = 0.0, here
        for k in range(found):
            end = (ends[k] - here) % full
            if (here - begins[k]) % full <= (ends[k] - begins[k]) % full and end > step:
                step, there = end, ends[k]
        if step == 0.0:
            return False
        gone += step
        here = there
    return True


@compiled
def _try_ring(
    ring: int,
    i_mid: int,
    j_mid: int,
    px: float,
    py: float,
    side_of: int,
    gate_of: int,
    limit: float,
    nearest: bool,
    found: np.int64,
    piece_at: np.ndarray,
    t_at: np.ndarray,
    leg_at: np.ndarray,
    mark: int,
    stamp: np.ndarray,
    piece_xy: np.ndarray,
    piece_part: np.ndarray,
    piece_side: np.ndarray,
    shape: np.ndarray,
    start: np.ndarray,
    item: np.ndarray,
    wall_xy: np.ndarray,
    wall_of: np.ndarray,
    wall_frame: np.ndarray,
    wall_shape: np.ndarray,
    wall_start: np.ndarray,
    wall_item: np.ndarray,
) -> tuple[np.int64, float]:
    """Add the pieces that p reaches by a leg of at most `limit`, of the cells so many steps from its own.

    Returns how many are found by then, and the limit, which falls to the leg of the nearest where only that is sought.
    """
    nx, ny = shape[0], shape[1]
    for j in range(max(j_mid - ring, 0), min(j_mid + ring, ny - 1) + 1):
        step = 1 if abs(j - j_mid) == ring else 2 * ring
        for i in range(i_mid - ring, i_mid + ring + 1, step):
            if i < 0 or i >= nx:
                continue
            for k in range(start[j * nx + i], start[j * nx + i + 1]):
                m = item[k]
                ax, ay, bx, by = piece_xy[m, 0], piece_xy[m, 1], piece_xy[m, 2], piece_xy[m, 3]
                # most are too far off, which their boxes show
                if min(ax, bx) > px + limit or max(ax, bx) < px - limit:
                    continue
                if min(ay, by) > py + limit or max(ay, by) < py - limit or stamp[m] == mark:
                    continue
                stamp[m] = mark
                ex, ey = bx - ax, by - ay
                square = ex * ex + ey * ey
                t = 0.0
                if square > 0.0:
                    t = min(max(((px - ax) * ex + (py - ay) * ey) / square, 0.0), 1.0)
                qx, qy = ax + t * ex, ay + t * ey
                leg = np.sqrt((qx - px) * (qx - px) + (qy - py) * (qy - py))
                if leg > limit or t < piece_part[m, 0] or t > piece_part[m, 1]:
                    continue
                # a gate is a point outside; through it, no further than it is wide, it also touches what lies inside
                side = piece_side[m]
                if side != side_of and not (gate_of >= 0 and side == gate_of and leg <= GATE_WIDTH):
                    continue
                if len(wall_of) > 0 and crosses(
                    px, py, qx, qy, gate_of, wall_xy, wall_of, wall_frame, wall_shape, wall_start, wall_item
                ):
                    continue
                if gate_of >= 0 and leg > GATE_WIDTH:
                    # from a gate it must not run on inside, not even across a corner to where the street meets the wall
                    share = (1.0 + GATE_WIDTH / leg) / 2
                    if within(px + share * (qx - px), py + share * (qy - py), gate_of, wall_xy, wall_of):
                        continue
                piece_at[found], t_at[found], leg_at[found] = m, t, leg
                found += 1
                if nearest:
                    limit = min(limit, leg + TIE)
    return found, limit


@compiled
def snap_points(
    xy: np.ndarray,
    side_of: np.ndarray,
    gate_of: np.ndarray,
    reach: np.ndarray,
    radius: float,
    far: float,
    edge_u: np.ndarray,
    edge_v: np.ndarray,
    n_nodes: int,
    piece_xy: np.ndarray,
    piece_part: np.ndarray,
    piece_edge: np.ndarray,
    piece_side: np.ndarray,
    frame: np.ndarray,
    shape: np.ndarray,
    start: np.ndarray,
    item: np.ndarray,
    wall_xy: np.ndarray,
    wall_of: np.ndarray,
    wall_frame: np.ndarray,
    wall_shape: np.ndarray,
    wall_start: np.ndarray,
    wall_item: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Every edge within `radius` of each point, or the nearest one where none is.

    Parameters
    ----------
    xy
        (n, 2) float64, metres.
    side_of
        (n,) int32: the walled compound each point lies in, -1 for outside; it reaches edges of the same side only.
    gate_of
        (n,) int32: for a gate its compound, else -1.
    reach
        (n,) float64 metres: how far the nearest edge is looked for; 0 for not at all, infinite for anywhere.
    radius
        Metres; with 0 always the nearest edge.
    far
        Metres beyond which the nearest edge counts as far.
    edge_u, edge_v, n_nodes
        The graph; several edges that are reached at their common node give one access point.

    Returns
    -------
    ptr (n + 1,) int64, edge int32, t float64 (0 to 1 along the edge), leg float64 (metres), status (n,) int8. What
    stands in edge, t and leg beyond ``ptr[n]`` means nothing.
    """
    n = len(xy)
    x0, y0, cell = frame[0], frame[1], frame[2]
    nx, ny = shape[0], shape[1]
    ptr = np.zeros(n + 1, dtype=np.int64)
    status = np.zeros(n, dtype=np.int8)
    room = max(16, 16 * n)
    edge_out = np.empty(room, dtype=np.int32)
    t_out = np.empty(room, dtype=np.float64)
    leg_out = np.empty(room, dtype=np.float64)
    m = len(piece_edge)
    # 0 is a mark that no point has
    stamp = np.zeros(m, dtype=np.int32)
    node_stamp = np.zeros(n_nodes, dtype=np.int32)
    begins, ends = np.empty(4096), np.empty(4096)
    piece_at = np.empty(m + 1, dtype=np.int32)
    t_at = np.empty(m + 1, dtype=np.float64)
    leg_at = np.empty(m + 1, dtype=np.float64)
    total = 0
    mark = 0
    for p in range(n):
        px, py = xy[p, 0], xy[p, 1]
        i_mid, j_mid = int(np.floor((px - x0) / cell)), int(np.floor((py - y0) / cell))
        margin = min(px - x0 - i_mid * cell, x0 + (i_mid + 1) * cell - px)
        margin = max(min(margin, py - y0 - j_mid * cell, y0 + (j_mid + 1) * cell - py), 0.0)
        first_ring = max(0, -i_mid, i_mid - nx + 1, -j_mid, j_mid - ny + 1)
        last_ring = max(i_mid, nx - 1 - i_mid, j_mid, ny - 1 - j_mid)
        found = np.int64(0)  # a plain 0 would have _try_ring compiled twice
        for nearest in (False, True):
            limit = reach[p] if nearest else radius
            if found > 0 or limit <= 0.0:
                continue
            mark += 1
            next_look = cell
            for ring in range(first_ring, last_ring + 1):
                # what lies in this ring of cells or beyond is further off than the rings within are wide
                clear = (ring - 1) * cell + margin
                if clear > limit:
                    break
                if nearest and found == 0 and clear > next_look:
                    next_look = 4.0 * clear
                    if shut_in(
                        px, py, gate_of[p], clear, begins, ends,
                        wall_xy, wall_of, wall_frame, wall_shape, wall_start, wall_item,
                    ):  # fmt: skip
                        break
                found, limit = _try_ring(
                    ring, i_mid, j_mid, px, py, side_of[p], gate_of[p], limit, nearest, found,
                    piece_at, t_at, leg_at, mark, stamp, piece_xy, piece_part, piece_side, shape, start, item,
                    wall_xy, wall_of, wall_frame, wall_shape, wall_start, wall_item,
                )  # fmt: skip
            if nearest:
                # what was the nearest for a while goes; what is as near as the nearest stays
                best = np.inf
                for k in range(found):
                    best = min(best, leg_at[k])
                kept = np.int64(0)
                for k in range(found):
                    if leg_at[k] <= best + TIE:
                        piece_at[kept], t_at[kept], leg_at[kept] = piece_at[k], t_at[k], leg_at[k]
                        kept += 1
                found = kept
                status[p] = FAR if best > far else OK
        if found == 0:
            status[p] = UNSNAPPED
        if total + found > room:
            room = int(2 * room + found)
            edge_more = np.empty(room, dtype=np.int32)
            t_more = np.empty(room, dtype=np.float64)
            leg_more = np.empty(room, dtype=np.float64)
            for k in range(total):  # a slice put into a slice takes two seconds to compile
                edge_more[k], t_more[k], leg_more[k] = edge_out[k], t_out[k], leg_out[k]
            edge_out, t_out, leg_out = edge_more, t_more, leg_more
        for k in range(found):
            e = piece_edge[piece_at[k]]
            if t_at[k] == 0.0 or t_at[k] == 1.0:
                node = edge_u[e] if t_at[k] == 0.0 else edge_v[e]
                if node_stamp[node] == p + 1:
                    continue
                node_stamp[node] = p + 1
            edge_out[total], t_out[total], leg_out[total] = e, t_at[k], leg_at[k]
            total += 1
        ptr[p + 1] = total
    return ptr, edge_out, t_out, leg_out, status
