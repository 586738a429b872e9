"""Mending: parts outside the band are brought into it by moving as few households as can be found to do it.

Parts in the band are touched only where a part outside it needs their help. First atoms are moved one by one between
the part and its neighbours. Where that does not do, the part and one, two, three or four neighbours are cut anew along
random trees that follow the old borders. Then what need not have moved goes back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gridmap.division.search.engine import arcs_of, outside_band

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from gridmap.division.search.engine import Band, Lots

__all__ = ["mend"]

# Trees tried for a group of parts, by the number of neighbours in it, and the most groups of that size.
_TREES = (16, 12, 8, 8, 8)
_GROUPS = (1, 12, 10, 8, 6)
# Cuts of one tree that are followed further, and how much later a tree takes borders between old parts.
_BRANCHES, _LATE = 3, (0.5, 2.0)
# Moves of one atom that are tried though they only help once the next part passes something on.
_PUSHES = 20
_ROUNDS = 3
_ROUNDING = 1e-9


class _Score(NamedTuple):
    """What is to be as small as can be, in this order."""

    illegal: int
    outside: float
    moved: float


class _Task(NamedTuple):
    """Lots, the band, the part each atom was in, what moving it costs, and random numbers."""

    lots: Lots
    band: Band
    home: np.ndarray
    cost: np.ndarray
    rng: np.random.Generator


def mend(
    lots: Lots,
    band: Band,
    label: np.ndarray,
    households: np.ndarray,
    *,
    spare: Collection[int] = (),
    seed: int = 0,
) -> np.ndarray:
    """Labels with fewer parts, and less weight, outside the band.

    Parameters
    ----------
    lots
        Atoms of one or more components.
    band
        Limits of a part's weight.
    label
        int (n,), part of each atom, 0 ... k - 1. Pieces of a part that nothing joins to its largest, and that weigh
        anything, are parts of their own here.
    households
        float64 (n,), what moving an atom to another part costs.
    spare
        Parts that need no mending whatever they weigh, but may be taken into others.
    seed
        Of the random numbers.

    Returns
    -------
    ndarray
        int (n,), the part of each atom: 0 ... k - 1 for those that there were, k and more for new ones. Parts stay
        connected, and those within the band that helped no other keep their atoms.
    """
    # an atom without households still counts a little: it should not move for nothing
    cost = households + 1e-6
    task = _Task(lots, band, label.copy(), cost, np.random.default_rng(seed))
    skip = set(spare)
    label = _in_one_piece(lots, label).astype(np.int64)
    for _ in range(_ROUNDS):
        before = outside_band(_compact(label), lots.weight, band, lots.apart)
        for part in _bad_parts(lots, band, label):
            if part not in skip and part in _bad_parts(lots, band, label):
                label = _mend_part(task, label, part)
        if before[0] == 0 or outside_band(_compact(label), lots.weight, band, lots.apart) >= before:
            break
    return label


def _compact(label: np.ndarray) -> np.ndarray:
    return np.unique(label, return_inverse=True)[1]


def _in_one_piece(lots: Lots, label: np.ndarray) -> np.ndarray:
    """Labels with pieces that hang on nothing of their part made parts of their own, if they weigh anything."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n = len(label)
    same = lots.joins & (label[lots.source] == label[lots.neighbour])
    ends = (lots.source[same], lots.neighbour[same])
    piece = connected_components(coo_array((np.ones(same.sum(), np.int8), ends), shape=(n, n)), directed=False)[1]
    held = np.bincount(piece, lots.weight)
    first = np.unique(piece, return_index=True)[1]
    order = np.lexsort((first, -held, label[first]))
    main = np.r_[True, label[first][order][1:] != label[first][order][:-1]]
    stray = np.zeros(len(held), bool)
    stray[order[~main]] = True
    stray &= held > 0
    number = np.cumsum(stray) - 1 + label.max() + 1
    return np.where(stray[piece], number[piece], label)


def _bad_parts(lots: Lots, band: Band, label: np.ndarray) -> list[int]:
    """Parts outside the band, those farthest outside first; a tower all by itself can't be helped."""
    held = np.bincount(label, lots.weight)
    there = np.bincount(label) > 0
    short = np.maximum(band.lower - held, 0) + np.maximum(held - band.upper, 0)
    tower = np.bincount(label, np.where(lots.weight > band.upper, lots.weight - band.upper, 0))
    bad = np.flatnonzero(there & (short > _ROUNDING) & (abs(short - tower) > _ROUNDING))
    return [int(p) for p in bad[np.lexsort((bad, -short[bad]))]]


def _mend_part(task: _Task, label: np.ndarray, part: int) -> np.ndarray:
    """Labels in which a part outside the band, and whatever parts have to help, are better than before."""
    best, best_score = label, _score(task, label)
    walked = _walk(task, label, _with_neighbours(task.lots, label, [part]))
    for new in (walked, *_pushed(task, walked, part)):
        score = _score(task, new)
        if score < best_score:
            best, best_score = new, score
    base = outside_band(_compact(label), task.lots.weight, task.band, task.lots.apart)[0]
    for size in range(len(_TREES)):
        for group in _groups(task.lots, label, part, size):
            atoms = _main_piece(task.lots, np.flatnonzero(np.isin(label, group)))
            for cut in _cuts(task, atoms, _TREES[size]):
                new = label.copy()
                new[atoms] = _matched(task, atoms, cut, label)
                score = _score(task, new)
                if score < best_score:
                    best, best_score = new, score
        # a cure that touches fewer parts may move more households
        if best_score.illegal < base and size >= 2:
            break
    if best is label:
        return label
    changed = np.unique(np.r_[best[best != label], label[best != label]])
    return _given_back(task, best, np.flatnonzero(np.isin(best, changed)))


def _pushed(task: _Task, label: np.ndarray, part: int) -> Iterator[np.ndarray]:
    """Labels after one atom more has gone into or out of a part, and parts around have passed on what that is too much.

    Where a neighbour is full itself, no single move helps, but a chain of them does.
    """
    if part not in _bad_parts(task.lots, task.band, label):
        return
    lots = task.lots
    parts = _with_neighbours(lots, label, _with_neighbours(lots, label, [part]))
    arcs = np.flatnonzero(lots.joins & (label[lots.source] != label[lots.neighbour]))
    atom, to = lots.source[arcs], label[lots.neighbour[arcs]]
    above = lots.weight[label == part].sum() > task.band.upper
    here = (label[atom] == part) if above else (to == part)
    pairs = np.unique(np.column_stack((atom[here], to[here])), axis=0)
    pairs = pairs[lots.weight[pairs[:, 0]] > 0]
    for i, q in pairs[np.argsort(task.cost[pairs[:, 0]], kind="stable")][:_PUSHES].tolist():
        if _stays_whole(lots, label, i):
            new = label.copy()
            new[i] = q
            yield _walk(task, new, parts)


def _score(task: _Task, label: np.ndarray) -> _Score:
    lots = task.lots
    illegal, outside = outside_band(_compact(label), lots.weight, task.band, lots.apart)
    return _Score(illegal, round(outside, 6), round(float(task.cost[label != task.home].sum()), 6))


def _with_neighbours(lots: Lots, label: np.ndarray, group: list[int]) -> list[int]:
    """The parts of a group, then those that touch it, longest border first."""
    arcs = arcs_of(lots.indptr, np.flatnonzero(np.isin(label, group)))
    arcs = arcs[lots.joins[arcs]]
    near, at = np.unique(label[lots.neighbour[arcs]], return_inverse=True)
    metres = np.bincount(at.ravel(), lots.border[arcs], minlength=len(near))
    return [*group, *(int(p) for p in near[np.argsort(-metres, kind="stable")] if p not in group)]


def _groups(lots: Lots, label: np.ndarray, part: int, size: int) -> Iterator[list[int]]:
    """Connected groups of a part and so many others, near ones first."""
    groups = [[part]]
    for _ in range(size):
        wider: dict[tuple[int, ...], list[int]] = {}
        for group in groups:
            for q in _with_neighbours(lots, label, group)[len(group) :][: _GROUPS[1]]:
                wider.setdefault(tuple(sorted([*group, q])), [*group, q])
        groups = list(wider.values())[: _GROUPS[size]]
        if not groups:
            return
    yield from groups


def _cuts(task: _Task, atoms: np.ndarray, trees: int) -> Iterator[np.ndarray]:
    """Parts of the atoms listed: within the band as far as a cut along a random tree gives that."""
    lots, band = task.lots, task.band
    total = lots.weight[atoms].sum()
    least = max(1, int(np.ceil(total / band.upper - 1e-9)))
    most = max(least, int(total // band.lower) if band.lower > 0 else least)
    local = _Local.of(task, atoms)
    for parts in range(least, min(most, least + 2) + 1):
        if parts == 1:
            if local.connected:
                yield np.zeros(len(atoms), np.int64)
            continue
        for _ in range(max(1, trees // parts)):
            cut = _peeled(task, local, np.arange(len(atoms)), parts)
            if cut is not None:
                yield cut


def _main_piece(lots: Lots, atoms: np.ndarray) -> np.ndarray:
    """The atoms listed without empty land that nothing joins to the rest: that stays where it is."""
    local = lots.part(atoms)
    piece = local.components()[1]
    held = np.bincount(piece, local.weight)
    main = int(held.argmax())
    return atoms[(piece == main) | (held[piece] > 0)]


class _Local(NamedTuple):
    """Some of the atoms, and the joins between them, by position in the list."""

    weight: np.ndarray
    cost: np.ndarray
    home: np.ndarray
    a: np.ndarray
    b: np.ndarray
    connected: bool

    @classmethod
    def of(cls, task: _Task, atoms: np.ndarray) -> _Local:
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        lots = task.lots
        at = np.full(len(lots.weight), -1)
        at[atoms] = np.arange(len(atoms))
        arcs = arcs_of(lots.indptr, atoms)
        a, b = at[lots.source[arcs]], at[lots.neighbour[arcs]]
        inside = lots.joins[arcs] & (b > a)
        a, b = a[inside], b[inside]
        graph = coo_array((np.ones(len(a), np.int8), (a, b)), shape=(len(atoms), len(atoms)))
        pieces = connected_components(graph, directed=False)[0]
        return cls(lots.weight[atoms], task.cost[atoms], task.home[atoms], a, b, pieces == 1)


def _peeled(task: _Task, local: _Local, members: np.ndarray, parts: int) -> np.ndarray | None:
    """So many parts, cut off one after another along random trees; None where a tree leaves no such cut."""
    if not local.connected:
        return None
    band = task.band
    out = np.zeros(len(members), np.int64)
    rest = members
    for k in range(parts - 1):
        left = parts - 1 - k
        best: tuple[float, np.ndarray] | None = None
        for late in _LATE:
            order, parent = _tree(local, rest, late, task.rng)
            weight, kept = _below(local, rest, order, parent)
            other = weight[order[0]] - weight
            # either side of a link may be the part that is cut off
            for near, far, side in ((weight, other, True), (other, weight, False)):
                fits = (near >= band.lower) & (near <= band.upper) & (far >= left * band.lower)
                fits &= far <= left * band.upper
                fits[order[0]] = False
                at = np.flatnonzero(fits)
                if not len(at):
                    continue
                stays = kept[at] if side else kept[order[0]] - kept[at]
                moves = near[at] - stays.max(axis=1)
                pick = at[np.argsort(moves, kind="stable")[:_BRANCHES]]
                v = int(pick[task.rng.integers(len(pick))])
                cut = _subtree(order, parent, v)
                chosen = cut if side else ~cut
                price = float(moves[np.flatnonzero(at == v)[0]])
                if best is None or price < best[0]:
                    best = price, chosen
        if best is None:
            return None
        out[rest[best[1]]] = k + 1
        rest = rest[~best[1]]
    return out


def _tree(local: _Local, members: np.ndarray, late: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A random spanning tree of the members, by position among them: nodes from the root down, and their parents."""
    from gridmap.division.search.tree_kernel import spanning_tree

    at = np.full(len(local.weight), -1, np.int32)
    at[members] = np.arange(len(members), dtype=np.int32)
    a, b = at[local.a], at[local.b]
    inside = np.flatnonzero((a >= 0) & (b >= 0))
    crossing = local.home[local.a[inside]] != local.home[local.b[inside]]
    inside = inside[np.argsort(rng.random(len(inside)) + late * crossing, kind="stable")]
    order, parent = spanning_tree(a[inside], b[inside], len(members))
    return order, parent


def _below(local: _Local, members: np.ndarray, order: np.ndarray, parent: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weight below each node of a tree, and of it the weight of each old part."""
    from gridmap.division.plans.mend_kernel import sums_below

    homes, at = np.unique(local.home[members], return_inverse=True)
    table = np.zeros((len(members), len(homes) + 1))
    table[:, 0] = local.weight[members]
    table[np.arange(len(members)), at.ravel() + 1] = local.weight[members]
    sums_below(order, parent, table)
    return table[:, 0], table[:, 1:]


def _subtree(order: np.ndarray, parent: np.ndarray, root: int) -> np.ndarray:
    inside = np.zeros(len(parent), bool)
    inside[root] = True
    for v in order.tolist():
        if parent[v] >= 0 and inside[parent[v]]:
            inside[v] = True
    return inside


def _matched(task: _Task, atoms: np.ndarray, cut: np.ndarray, label: np.ndarray) -> np.ndarray:
    """The labels of the old parts for new ones, so that as few households as can be have moved."""
    from scipy.optimize import linear_sum_assignment

    homes, at = np.unique(task.home[atoms], return_inverse=True)
    # parts of which nothing lies outside these atoms: a label must not be in two places
    outside = np.ones(len(label), bool)
    outside[atoms] = False
    outside &= task.lots.weight > 0
    free = ~np.isin(homes, label[outside])
    count = int(cut.max()) + 1
    shared = np.zeros((count, len(homes)))
    np.add.at(shared, (cut, at.ravel()), task.cost[atoms])
    shared[:, ~free] = 0
    rows, columns = linear_sum_assignment(-shared)
    name = np.full(count, -1)
    good = shared[rows, columns] > 0
    name[rows[good]] = homes[columns[good]]
    new = np.flatnonzero(name < 0)
    name[new] = max(int(label.max()), int(task.home.max())) + 1 + np.arange(len(new))
    return name[cut]


def _walk(task: _Task, label: np.ndarray, parts: list[int]) -> np.ndarray:
    """Labels after atoms between some parts have moved one by one, each time the one that helps most."""
    label = label.copy()
    region = np.flatnonzero(np.isin(label, parts))
    for _ in range(len(region)):
        move = _best_move(task, label, region)
        if move is None:
            return label
        label[move[0]] = move[1]
    return label


def _best_move(task: _Task, label: np.ndarray, region: np.ndarray) -> tuple[int, int] | None:
    """The move of one atom to a part beside it that improves most and tears nothing; None when none improves."""
    lots, band = task.lots, task.band
    held = np.bincount(label, lots.weight)
    inside = np.zeros(len(label), bool)
    inside[region] = True
    arcs = arcs_of(lots.indptr, region)
    source, other = lots.source[arcs], lots.neighbour[arcs]
    cross = lots.joins[arcs] & inside[other] & (label[source] != label[other])
    if not cross.any():
        return None
    pairs = np.unique(np.column_stack((source[cross], label[other[cross]])), axis=0)
    atom, to = pairs[_parted(lots, label, pairs)].T
    w, of = lots.weight[atom], label[atom]
    gain_off = _off(held[of] - w, band) + _off(held[to] + w, band) - _off(held[of], band) - _off(held[to], band)
    count = [(_off(h, band) > _ROUNDING).astype(int) for h in (held[of] - w, held[to] + w, held[of], held[to])]
    gain_bad = count[0] + count[1] - count[2] - count[3]
    home = task.home[atom]
    gain_moved = task.cost[atom] * ((to != home).astype(int) - (of != home).astype(int))
    gain_off = np.where(abs(gain_off) < _ROUNDING, 0, gain_off)
    # less outside the band at the price of one more part outside it would only spread the fault
    better = (gain_bad < 0) | ((gain_bad == 0) & ((gain_off < 0) | ((gain_off == 0) & (gain_moved < 0))))
    order = np.lexsort((to, atom, gain_moved, gain_off, gain_bad))
    for k in order[better[order]].tolist():
        if _stays_whole(lots, label, int(atom[k])):
            return int(atom[k]), int(to[k])
    return None


def _parted(lots: Lots, label: np.ndarray, moves: np.ndarray) -> np.ndarray:
    """Which moves (atom, part) bring no atom to another that it must be apart from."""
    foe = np.r_[lots.apart, lots.apart[:, ::-1]]
    key = moves[:, 0] * (label.max() + 1) + moves[:, 1]
    return ~np.isin(key, foe[:, 0] * (label.max() + 1) + label[foe[:, 1]])


def _off(held: np.ndarray, band: Band) -> np.ndarray:
    return np.maximum(band.lower - held, 0) + np.maximum(held - band.upper, 0)


def _stays_whole(lots: Lots, label: np.ndarray, atom: int) -> bool:
    """Whether the part of an atom still hangs together, and is there, without it: as far as it did with it."""
    from gridmap.division.plans.mend_kernel import whole_without

    return bool(whole_without(atom, label, lots.indptr, lots.neighbour, lots.joins))


def _given_back(task: _Task, label: np.ndarray, region: np.ndarray) -> np.ndarray:
    """Labels after atoms that need not have moved went back: one by one, then in exchange for lighter ones."""
    parts = np.unique(label[region]).tolist()
    label = _walk(task, label, parts)
    score = _score(task, label)
    for _ in range(len(region)):
        better = _exchange(task, label, parts, score)
        if better is None:
            return label
        label, score = better
    return label


def _exchange(task: _Task, label: np.ndarray, parts: list[int], score: _Score) -> tuple[np.ndarray, _Score] | None:
    """Send one moved atom back and mend what that breaks at less cost; None when no atom is worth it."""
    away = np.flatnonzero(np.isin(label, parts) & (label != task.home) & np.isin(task.home, parts))
    for atom in away[np.argsort(-task.cost[away], kind="stable")][:20].tolist():
        arcs = slice(task.lots.indptr[atom], task.lots.indptr[atom + 1])
        near = task.lots.neighbour[arcs][task.lots.joins[arcs]]
        if task.home[atom] not in label[near] or not _stays_whole(task.lots, label, atom):
            continue
        new = label.copy()
        new[atom] = task.home[atom]
        new = _walk(task, new, parts)
        after = _score(task, new)
        if after < score:
            return new, after
    return None
