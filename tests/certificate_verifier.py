"""An independent verifier of certificates: from the certificate, the atoms and their borders alone.

It shares no code with the library. Weights are exact fractions, sets of amounts are lists of intervals, graphs are
networkx, and covers are searched for by plain recursion.

A certificate names atoms of which, in every division, at least one is in a part outside the band. Atoms above the upper
limit (towers) are in such a part wherever they go, and fixed atoms (of dedicated or locked grids) are in no part that
could be changed; so both are taken out of the graph before anything else.
"""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor, inf

import networkx as nx

SHORTEST_JOIN = 3.0
FIELDS = {
    "atom_above_upper": {"atom", "atom_weight"},
    "component_total": {"total"},
    "pendant": {"border", "root"},
    "exhaustive": {"border", "sets", "steps"},
    "mip": {"border", "sets", "steps"},
}


class RefusedError(Exception):
    """What a certificate claims does not follow."""


def require(truth, why):
    if not truth:
        raise RefusedError(why)


def verify(certificate, atoms, adjacency, grid_atoms, *, band=None, weight="households", tied=(), apart=()):
    """Return None when the certificate proves its claim for a grid, raise `RefusedError` when it does not.

    `atoms`: atom_id, households, and where there are fixed atoms a truth column `fixed`; `adjacency`: atom_a, atom_b,
    metres, kind; `grid_atoms`: ids of the atoms of the grid; `band`: the (lower, upper) that the plan was made with,
    None for no ceiling; `tied`: groups of atoms that had to share a grid; `apart`: pairs that could not. A certificate
    may presuppose no others.
    """
    kind = certificate.get("kind")
    require(kind in FIELDS, f"{kind!r} claims nothing")
    require(FIELDS[kind] <= set(certificate), "evidence is missing")
    load = {a: Fraction(float(w)) for a, w in zip(atoms["atom_id"], atoms[weight], strict=True)}
    lower, upper = Fraction(certificate["lower"]), ceiling(certificate["upper"])
    require(band is None or (lower, upper) == (Fraction(band[0]), ceiling(band[1])), "another band")
    # What is too small is so without a ceiling too; of the other kinds each counts what is too large.
    require(upper < inf or kind == "component_total", "nothing else can be claimed where there is no ceiling")
    require(0 <= lower <= upper, "no band")
    grid = set(grid_atoms)
    require(grid <= set(load), "the grid has unknown atoms")
    total = sum(load[a] for a in grid)
    require(abs(total - Fraction(certificate["weight"])) < Fraction(1, 10**6), "the grid weighs something else")
    require(not lower <= total <= upper, "the grid is in the band")
    groups = certificate.get("tied", [])
    require({frozenset(g) for g in groups} <= {frozenset(g) for g in tied}, "atoms said to be tied are not")
    pairs = {frozenset(p) for p in certificate.get("apart", [])}
    require(pairs <= {frozenset(p) for p in apart}, "atoms said to be apart need not be")
    place = certificate["atoms"]
    require(place and len(set(place)) == len(place) and set(place) <= set(load), "unknown atoms, or one twice")
    require(grid.intersection(place), "the grid holds nothing of the place")
    if kind == "atom_above_upper":
        (atom,) = place
        require(atom == certificate["atom"] and atom in grid, "the atom is not in the grid")
        require(load[atom] == Fraction(certificate["atom_weight"]) > upper, "the atom is not above the limit")
        return
    # Tied atoms are one, named after the first.
    one = {a: a for a in load} | {a: group[0] for group in groups for a in group}
    place = list(dict.fromkeys(one[a] for a in place))
    load = {a: sum(load[b] for b in load if one[b] == a) for a in set(one.values())} if groups else load
    graph = legal_graph(certificate, atoms, adjacency, load, upper, one, set(place))
    require(set(place) <= set(graph), "towers and fixed atoms are no part of a place")
    if kind == "component_total":
        require(nx.node_connected_component(graph, place[0]) == set(place), "not all that is connected")
        whole = sum(load[a] for a in place)
        require(abs(whole - Fraction(certificate["total"])) < Fraction(1, 10**6), "another total")
        require(not divisible(whole, lower, upper), "the total can be divided")
        return
    border = {b for a in place for b in graph[a]} - set(place)
    require(sorted(certificate["border"]) == sorted(border), "the border is another")
    region = graph.subgraph([*place, *border]).copy()
    # A part with several atoms of the border is, within the region, as good as several parts with one each.
    region.remove_edges_from(list(region.subgraph(border).edges))
    if kind == "pendant":
        require(certificate["root"] in region, "the root lies elsewhere")
        require(is_stuck(region, border, load, lower, upper, certificate["root"]), "what hangs there can be divided")
        return
    sets = {s for s in legal_sets(region, border, load, lower, upper) if not any(p <= s for p in pairs)}
    require(len(sets) == certificate["sets"], "there are more or fewer sets")
    covered = has_cover if kind == "exhaustive" else has_cover_by_milp
    require(not covered(sets, place), "the place can be covered")


def ceiling(upper):
    return inf if upper is None else Fraction(upper)


def legal_graph(certificate, atoms, adjacency, load, upper, one, place):
    """What legal parts can be made of: all atoms but towers and fixed ones, joined as in the design."""
    fixed = set(atoms["atom_id"][atoms["fixed"].astype(bool)]) if "fixed" in atoms else set()
    towers = {a for a in load if load[a] > upper}
    graph = nx.Graph()
    graph.add_nodes_from(a for a in load if a not in towers and a not in fixed)
    beside = set()
    for a, b, metres, kind in adjacency[["atom_a", "atom_b", "metres", "kind"]].itertuples(index=False):
        if metres >= SHORTEST_JOIN or kind in ("piece", "bridge"):
            a, b = one[a], one[b]  # noqa: PLW2901
            if a != b and a in graph and b in graph:
                graph.add_edge(a, b)
            for here, there in ((a, b), (b, a)):
                if here in place:
                    beside.add(there)
    require(set(certificate.get("towers", [])) == (beside & towers) - fixed, "other towers stand beside the place")
    if "fixed" in certificate:
        require(set(certificate["fixed"]) == beside & fixed, "other fixed atoms lie beside the place")
    return graph


def divisible(total, lower, upper):
    most = floor(total / lower) if lower > 0 else 1
    return lower == 0 or any(k * lower <= total <= k * upper for k in range(1, most + 1))


# What hangs on a cut atom ---------------------------------------------------------------------------------------------


def is_stuck(region, border, load, lower, upper, root):  # noqa: C901
    """Whether the weights that can be passed up the tree of blocks and cut atoms leave nothing for the root's part."""
    if all(load[a].denominator == 1 for a in region):
        lower, upper = Fraction(ceil(lower)), Fraction(floor(upper))
    region = region.subgraph(nx.node_connected_component(region, root))
    require(set(region) >= {a for a in region if a not in border}, "the place hangs on something else")
    blocks = [set(b) for b in nx.biconnected_components(region)]
    stuck = []

    def passed_up(block, top):
        """Intervals of what the part of the top atom may take out of the block."""
        others = sorted(block - {top})
        inner = [a for a in others if a not in border]
        held = [part_of(a, block) for a in inner]
        room = {a: room_of(a, block) for a in others if a in border}
        if len(others) == 1:
            if inner:
                (own,) = held
                alone = [(Fraction(0), Fraction(0))] if meet(own, [(lower, upper)]) else []
                return own + alone
            return [(Fraction(0), Fraction(0)), (upper - room[others[0]], upper)]
        if room and top not in border:
            return [(Fraction(0), upper)]
        amounts = [(Fraction(0), Fraction(0))]
        for own in held:
            amounts = sums(amounts, own)
        spare = sum(room.values(), Fraction(0))
        left, k = [], 0
        most = max((high for _, high in amounts), default=Fraction(-1))
        while k == 0 or (k * lower <= most and not (lower == 0 and k > most / upper + 1)):
            left += [(low - k * upper - spare, high - k * lower) for low, high in amounts]
            k += 1
        return meet(merged(left), [(Fraction(0), upper)])

    def part_of(atom, above):
        """Intervals of the weight that the part of an atom of the place may have from here down."""
        own = [(load[atom], load[atom])]
        for block in blocks:
            if atom in block and block != above:
                own = meet(sums(own, passed_up(block, atom)), [(Fraction(0), upper)])
        if not own:
            stuck.append(atom)
        return own

    def room_of(atom, above):
        """How much the part of an atom of the border can still take in, from the block above."""
        room = upper - load[atom]
        for block in blocks:
            if atom in block and block != above:
                amounts = meet(passed_up(block, atom), [(Fraction(0), room)])
                if not amounts:
                    stuck.append(atom)
                    return Fraction(0)
                room -= min(low for low, _ in amounts)
        return room

    if root in border:
        room_of(root, None)
    elif not meet(part_of(root, None), [(lower, upper)]):
        stuck.append(root)
    return bool(stuck)


def merged(intervals):
    out = []
    for low, high in sorted(i for i in intervals if i[0] <= i[1]):
        if out and low <= out[-1][1]:
            out[-1] = (out[-1][0], max(high, out[-1][1]))
        else:
            out.append((low, high))
    return out


def sums(first, second):
    return merged([(a + c, b + d) for a, b in first for c, d in second])


def meet(first, second):
    return merged([(max(a, c), min(b, d)) for a, b in first for c, d in second])


# Covers ---------------------------------------------------------------------------------------------------------------


def legal_sets(region, border, load, lower, upper):
    """Connected sets of the place that are in the band, or that one atom of the border joins and are not above it."""
    order = sorted(region, key=lambda a: (a in border, str(a)))
    rank = {a: i for i, a in enumerate(order)}
    found = set()

    def grow(chosen, shut, held):
        outer = any(a in border for a in chosen)
        if outer or held >= lower:
            found.add(frozenset(chosen))
        ways = sorted({b for a in chosen for b in region[a]} - chosen - shut, key=rank.get)
        for i, b in enumerate(ways):
            if held + load[b] <= upper and not (outer and b in border):
                grow(chosen | {b}, shut.union(ways[:i]), held + load[b])

    for first in order:
        if first not in border and load[first] <= upper:
            grow({first}, set(order[: rank[first]]), load[first])
    return found


def has_cover(sets, place):
    """Whether disjoint sets hold every atom of the place: take the first atom left, try each set that holds it."""
    holding = {a: [s for s in sets if a in s] for a in place}
    dead = set()

    def cover(left, used):
        if not left:
            return True
        if used in dead:
            return False
        hardest = min(left, key=lambda a: (sum(not s & used for s in holding[a]), str(a)))
        for s in holding[hardest]:
            if not s & used and cover(left - s, used | s):
                return True
        dead.add(used)
        return False

    return cover(frozenset(place), frozenset())


def has_cover_by_milp(sets, place):
    """The same as an integer programme; atoms of the border are in one set at most."""
    import numpy as np
    from scipy.optimize import LinearConstraint, milp

    sets = sorted(sets, key=lambda s: sorted(map(str, s)))
    if not sets:
        return False
    rows = sorted({a for s in sets for a in s} | set(place), key=str)
    holds = np.array([[float(a in s) for s in sets] for a in rows])
    once = LinearConstraint(holds, [float(a in set(place)) for a in rows], np.ones(len(rows)))
    result = milp(np.zeros(len(sets)), integrality=np.ones(len(sets)), bounds=(0, 1), constraints=once)
    require(result.status in (0, 2), "the solver gave no answer")
    return result.status == 0
