"""Certificates: there wherever enumeration finds no legal plan, true, and proof against forgery."""

from __future__ import annotations

import json
import re
from itertools import pairwise

import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd
import pytest
from certificate_verifier import RefusedError, verify
from hypothesis import given, settings
from hypothesis import strategies as st
from random_graphs import (
    LOWER,
    UPPER,
    as_lots,
    as_matrix,
    as_tables,
    can_be_covered,
    least_violation,
    random_graph,
    violation,
)
from test_divide import rectangle, town

import gridmap as gm
from gridmap.division.search import covers
from gridmap.division.search.certificates import certify
from gridmap.division.search.cures import proof_cures
from gridmap.division.search.engine import Band
from gridmap.division.search.exact import divide_exactly
from gridmap.division.search.partition import lots_from_borders, partition
from gridmap.division.search.pendants import Scale, forced_pendants
from gridmap.maps.finding_words import _CODE, _chinese_cure

BAND = Band(LOWER, UPPER)


def divided(weights, pairs):
    """Labels, and certificates by part."""
    part = partition(as_lots(weights), adjacency=as_matrix(len(weights), pairs))
    findings = part.attrs["findings"]
    label_of = dict(zip(part.index, part.tolist(), strict=True))
    return part, {
        label_of[ids[0]]: json.loads(c) for ids, c in zip(findings["ids"], findings["certificate"], strict=True)
    }


def check_against_enumeration(seed, most=12):
    weights, pairs = random_graph(seed, most)
    part, certificates = divided(weights, pairs)
    costs = [violation([weights[i] for i in np.flatnonzero(part == p)]) for p in part.unique()]
    assert tuple(map(sum, zip(*costs, strict=True))) == least_violation(weights, pairs)
    check_certificates(weights, pairs, part, certificates)


def check_certificates(weights, pairs, part, certificates):
    tables = as_tables(weights, pairs)
    sums = pd.Series(weights, index=part.index).groupby(part).sum()
    assert set(certificates) == set(sums.index[~sums.between(LOWER, UPPER)])
    for p, certificate in certificates.items():
        verify(certificate, *tables, part.index[part == p], band=(LOWER, UPPER))
    places = [a for c in certificates.values() if c["kind"] != "component_total" for a in c["atoms"]]
    assert len(places) == len(set(places))


@pytest.mark.parametrize("block", range(3))
def test_legal_or_certified_as_enumeration_decides(block):
    for seed in range(100 * block, 100 * block + 100):
        check_against_enumeration(seed, most=10)


@pytest.mark.full
@pytest.mark.parametrize("block", range(10))
def test_legal_or_certified_as_enumeration_decides_thousands_of_times(block):
    for seed in range(1000 + 400 * block, 1400 + 400 * block):
        check_against_enumeration(seed)


@pytest.mark.parametrize("seed", range(25))
def test_what_is_too_large_to_enumerate_is_legal_or_certified(seed):
    weights, pairs = random_graph(7000 + seed, most=40)
    check_certificates(weights, pairs, *divided(weights, pairs))


@pytest.mark.full
@pytest.mark.parametrize("seed", range(300))
def test_more_that_is_too_large_to_enumerate_is_legal_or_certified(seed):
    weights, pairs = random_graph(8000 + seed, most=60)
    check_certificates(weights, pairs, *divided(weights, pairs))


# One certificate of each kind, and what becomes of it when it is altered ----------------------------------------------

CHAIN = [(i, i + 1) for i in range(11)]


def wheel(weights):
    """A hub, and a ring around it: no cut atom anywhere."""
    n = len(weights)
    ring = [(i, i % (n - 1) + 1) for i in range(1, n)]
    return weights, sorted({tuple(sorted(p)) for p in ring} | {(0, i) for i in range(1, n)})


TOWNS = {
    "atom_above_upper": ([812, 200, 200, 350], CHAIN[:3]),
    "component_total": ([110] * 5, CHAIN[:4]),
    "pendant": ([160, 480, 160, 180], [(0, 1), (1, 2), (1, 3)]),
    "exhaustive": wheel([480, 290, 450, 290, 450]),
}


def a_certificate(kind, monkeypatch):
    if kind == "mip":
        monkeypatch.setattr(covers, "_STEPS", 0)
    weights, pairs = TOWNS["exhaustive" if kind == "mip" else kind]
    part, certificates = divided(weights, pairs)
    p, certificate = next((p, c) for p, c in certificates.items() if c["kind"] == kind)
    return certificate, as_tables(weights, pairs), part.index[part == p], part


KINDS = [*TOWNS, "mip"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_made_and_verified(kind, monkeypatch):
    certificate, tables, grid, _ = a_certificate(kind, monkeypatch)
    verify(certificate, *tables, grid, band=(LOWER, UPPER))


def other(value):
    if isinstance(value, list):
        return [*value, "nowhere"]
    return value + 1 if isinstance(value, int | float) else "nowhere"


@pytest.mark.parametrize("kind", KINDS)
def test_a_certificate_with_any_field_altered_is_refused(kind, monkeypatch):
    certificate, tables, grid, _ = a_certificate(kind, monkeypatch)
    # How long the search took is told, not claimed.
    for field in set(certificate) - {"steps"}:
        for value in (other(certificate[field]), None):
            forged = certificate | {field: value}
            if value is None:
                del forged[field]
            with pytest.raises((RefusedError, KeyError)):
                verify(forged, *tables, grid, band=(LOWER, UPPER))
    for wrong in {*KINDS, "not_found"} - {kind, "mip", "exhaustive"}:
        with pytest.raises((RefusedError, KeyError)):
            verify(certificate | {"kind": wrong}, *tables, grid, band=(LOWER, UPPER))


@pytest.mark.parametrize("kind", KINDS)
def test_a_certificate_does_not_serve_another_grid_or_other_ground(kind, monkeypatch):
    certificate, (atoms, borders), grid, part = a_certificate(kind, monkeypatch)
    with pytest.raises(RefusedError):
        verify(certificate, atoms, borders, [])
    for p in part.unique():
        if not set(part.index[part == p]) & set(grid):
            with pytest.raises(RefusedError):
                verify(certificate, atoms, borders, part.index[part == p])
    with pytest.raises(RefusedError):
        verify(certificate, atoms.assign(households=100), borders, grid)
    with pytest.raises(RefusedError):
        verify(certificate | {"atoms": certificate["atoms"][:-1]}, atoms, borders, grid)


@pytest.mark.parametrize("kind", ["pendant", "exhaustive", "mip"])
def test_one_more_border_makes_a_certificate_void(kind, monkeypatch):
    certificate, (atoms, borders), grid, _ = a_certificate(kind, monkeypatch)
    room = pd.DataFrame({"atom_id": ["new"], "households": [150]})
    bridge = pd.DataFrame({"atom_a": certificate["atoms"][:1], "atom_b": ["new"], "metres": [0.0], "kind": ["bridge"]})
    with pytest.raises(RefusedError):
        verify(certificate, pd.concat([atoms, room]), pd.concat([borders, bridge]), grid)
    too_short = bridge.assign(kind="border", metres=2.9)
    verify(certificate, pd.concat([atoms, room]), pd.concat([borders, too_short]), grid)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 10**6), st.data())
def test_whatever_the_verifier_accepts_is_true(seed, data):
    """Certificates made up at random about random ground: one that passes must be true by enumeration."""
    weights, pairs = random_graph(seed, most=8)
    n = len(weights)
    graph = nx.Graph(pairs)
    graph.add_nodes_from(range(n))
    plain = graph.subgraph(i for i in range(n) if weights[i] <= UPPER)
    if not len(plain):
        return
    first = data.draw(st.sampled_from(sorted(plain)))
    reach = data.draw(st.integers(0, 3))
    place = sorted(nx.ego_graph(plain, first, reach))
    border = sorted({b for a in place for b in plain[a]} - set(place))
    towers = sorted({b for a in place for b in graph[a] if weights[b] > UPPER})
    sums = {0: weights[first], 1: sum(weights[i] for i in place)}
    grid = data.draw(st.sampled_from([[first], place]))
    kind = data.draw(st.sampled_from(["component_total", "pendant", "exhaustive", "mip"]))
    claim = {
        "kind": kind, "lower": LOWER, "upper": UPPER, "weight": sums[int(grid == place)],
        "atoms": [f"a{i}" for i in place], "border": [f"a{i}" for i in border], "towers": [f"a{i}" for i in towers],
        "root": f"a{data.draw(st.sampled_from(border or place))}", "total": sums[1], "steps": 1, "sets": 0,
    }  # fmt: skip
    if kind in ("exhaustive", "mip"):
        from certificate_verifier import legal_sets

        region = plain.subgraph([*place, *border]).copy()
        region.remove_edges_from(list(region.subgraph(border).edges))
        claim["sets"] = len(legal_sets(region, set(border), dict(enumerate(weights)), LOWER, UPPER))
    try:
        verify(claim, *as_tables(weights, pairs), [f"a{i}" for i in grid])
    except RefusedError:
        return
    assert not can_be_covered(weights, pairs, place)


# The parts of the proof -----------------------------------------------------------------------------------------------


def neighbours(n, pairs):
    near = {i: [] for i in range(n)}
    for a, b in pairs:
        near[a].append(b)
        near[b].append(a)
    return near


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([0.0, 0.25, 1e-7]), st.integers(0, 11))
def test_pendants_are_found_on_every_tree_and_nowhere_wrongly(seed, more, root):
    weights, pairs = random_graph(seed, most=12)
    weights = [min(w, UPPER) + more * (w < UPPER) for w in weights]
    n = len(weights)
    graph = nx.Graph(pairs)
    graph.add_nodes_from(range(n))
    for members in nx.connected_components(graph):
        near = {a: list(graph[a]) for a in members}
        start = sorted(members)[root % len(members)]
        places = forced_pendants(near, Scale.of(np.array(weights), BAND), start)
        inside = [p for p in pairs if p[0] in members]
        for place, _ in places:
            assert not can_be_covered(weights, pairs, place)
        if more == 0 and len(inside) == len(members) - 1:
            assert bool(places) != can_be_covered(weights, pairs, members)


def test_two_places_on_one_cut_atom():
    """250 is too much for the part of 300 by itself; of 150 and 120 it could take in either, but not both."""
    near = {0: [1, 2, 3, 4], 1: [0], 2: [0], 3: [0], 4: [0]}
    scale = Scale.of(np.array([300.0, 250, 150, 120, 500]), BAND)
    assert forced_pendants(near, scale, 4) == [([1], 0), ([2, 3], 0)]


def lots_of(weights, pairs, apart=()):
    a, b = np.array(pairs).T
    metres, ones = np.full(len(a), 50.0), np.full(len(weights), 2500.0)
    foes = np.array(apart, np.int32).reshape(-1, 2)
    joins = np.ones(len(a), bool)
    return lots_from_borders(np.array(weights, float), ones, ones, a, b, metres, metres, joins, foes)


def names_of(weights):
    return np.array([f"a{i}" for i in range(len(weights))], dtype=object)


def test_towers_are_set_apart_and_named():
    """160 households that only a tower joins with the others: below the band, or too many in the tower's grid."""
    weights, pairs = [160, 560, 200, 200], CHAIN[:3]
    proof = certify(np.array([0, 1, 2, 2]), lots_of(weights, pairs), BAND, names_of(weights))
    assert proof[0] == proof[0] | {"kind": "component_total", "atoms": ["a0"], "towers": ["a1"], "total": 160.0}
    assert proof[1]["kind"] == "atom_above_upper"
    verify(proof[0], *as_tables(weights, pairs), ["a0"])
    with pytest.raises(RefusedError, match="other towers"):
        verify(proof[0] | {"towers": []}, *as_tables(weights, pairs), ["a0"])


def test_what_is_fixed_is_set_apart_and_named():
    weights, pairs = [160, 200, 400], CHAIN[:2]
    free = np.array([True, False, True])
    (proof,) = certify(np.array([0, 1, 2]), lots_of(weights, pairs), BAND, names_of(weights), free=free).values()
    assert proof == proof | {"kind": "component_total", "atoms": ["a0"], "fixed": ["a1"]}
    atoms, borders = as_tables(weights, pairs)
    verify(proof, atoms.assign(fixed=~free), borders, ["a0"])
    with pytest.raises(RefusedError, match="not all that is connected"):
        verify({k: v for k, v in proof.items() if k != "fixed"}, atoms, borders, ["a0"])


def test_pairs_that_must_be_apart_are_part_of_the_proof():
    """Four of 150 in a row are two parts, unless the first two may not share one."""
    weights, pairs = [150] * 4, CHAIN[:3]
    lots = lots_of(weights, pairs, apart=[(0, 1)])
    (proof,) = certify(np.array([0, 1, 1, 1]), lots, BAND, names_of(weights)).values()
    assert proof["apart"] == [["a0", "a1"]]
    verify(proof, *as_tables(weights, pairs), ["a0"], apart=[("a0", "a1")])
    with pytest.raises(RefusedError, match="need not be"):
        verify(proof, *as_tables(weights, pairs), ["a0"])


def test_tied_atoms_are_one():
    """Of 250, 150, 200 and 100 in a row the middle ones are tied: 700 can't be cut there."""
    certificate = {
        "kind": "exhaustive", "lower": LOWER, "upper": UPPER, "weight": 250, "atoms": ["a0", "a1", "a2", "a3"],
        "border": [], "sets": 1, "steps": 1, "tied": [["a1", "a2"]],
    }  # fmt: skip
    tables = as_tables([250, 150, 200, 100], CHAIN[:3])
    verify(certificate | {"sets": 2}, *tables, ["a0"], tied=[("a1", "a2")])
    with pytest.raises(RefusedError, match="said to be tied"):
        verify(certificate | {"sets": 2}, *tables, ["a0"])


def test_a_plan_that_could_be_better_gets_no_certificate():
    """A hand-made plan of ground that has a legal one: nothing may be claimed."""
    proof = certify(np.array([0, 1, 1, 1]), lots_of([200] * 4, CHAIN[:3]), BAND, np.array(list("abcd"), dtype=object))
    assert [c["kind"] for c in proof.values()] == ["not_found", "not_found"]


# In a division --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
def test_certificates_of_a_plan_are_verified_on_its_atoms_and_adjacency(seed):
    plan = gm.divide(*town(seed, heavy=400), effort="low")
    check_plan(plan)
    assert plan.findings["rule"].eq("household_band").any()


def test_what_a_dedicated_grid_cuts_off_is_certified():
    """A campus across the whole width leaves one row of houses behind it, less than 300 households."""
    communities, houses, streets = town(7)
    campus = gpd.GeoDataFrame({"name": ["Campus"]}, geometry=[rectangle(0, 30, 180, 60)], crs=communities.crs)
    plan = gm.divide(communities, houses, streets, dedicated=campus)
    kinds = check_plan(plan)
    assert kinds == ["component_total"]


def check_plan(plan):
    """Verify all certificates, and return their kinds."""
    dedicated = plan.grids.loc[plan.grids["kind"] == "dedicated", "grid_id"]
    atoms = plan.atoms.assign(fixed=plan.atoms["grid_id"].isin(dedicated))
    found = plan.findings[plan.findings["rule"] == "household_band"]
    certificates = [json.loads(c) for c in found["certificate"]]
    for certificate, ids in zip(certificates, found["ids"], strict=True):
        verify(certificate, atoms, plan.adjacency, atoms["atom_id"][atoms["grid_id"] == ids[0]], band=(LOWER, UPPER))
    return [c["kind"] for c in certificates]


def test_places_that_cannot_be_right_do_not_spoil_the_rest():
    """A large board with four lots of some 100 that each hang on one of 480 alone: 80 above the band, not 200 below."""
    side = 20
    weights = np.clip(np.random.default_rng(3).lognormal(3.8, 0.8, side**2), 5, 300).astype(int)
    n = side * side
    pairs = [(i, j) for i in range(n) for j in (i + 1, i + side) if j < n and (j != i + 1 or j % side)]
    for k, at in enumerate((45, 150, 271, 388)):
        weights[at] = 480
        weights = np.append(weights, 100 + k)
        pairs.append((at, n + k))
    part, certificates = divided(weights.tolist(), pairs)
    assert sorted(c["weight"] for c in certificates.values()) == [580, 581, 582, 583]
    assert {c["kind"] for c in certificates.values()} == {"pendant"}
    check_certificates(weights.tolist(), pairs, part, certificates)


def test_lots_without_households_do_not_hide_a_legal_division():
    """Sixty empty lots between six others, in chains: 15 lots are few enough to try everything, 66 are not."""
    weights = [200, 160, 140, 290, 10, 400]
    pairs, n = [], len(weights)
    for a, b in [(0, 2), (2, 1), (1, 3), (3, 4), (4, 5), (0, 5)]:
        chain = [a, *range(n, n + 10), b]
        pairs += [(min(p), max(p)) for p in pairwise(chain)]
        n += 10
    weights += [0] * 60
    part = divide_exactly(lots_of(weights, pairs), BAND)
    sums = np.bincount(part, weights)
    assert ((sums >= LOWER) & (sums <= UPPER)).all()
    for p in np.unique(part):
        assert nx.is_connected(nx.Graph(pairs).subgraph(np.flatnonzero(part == p).tolist()))


# What would cure it ---------------------------------------------------------------------------------------------------


def test_the_cure_names_what_to_split_and_where_to_open_a_border():
    def cures(kind):
        weights, pairs = TOWNS[kind]
        return partition(as_lots(weights), adjacency=as_matrix(len(weights), pairs)).attrs["findings"]["cure"].tolist()

    assert "Split lot a0; or accept 812." in cures("atom_above_upper")
    assert cures("component_total") == [
        "Open a border or bridge from a0, a1, a2 (+2) to more than that; or accept 550."
    ]
    assert cures("pendant")[0].startswith(
        "Open a border or bridge from a0 to more than a1; or split lot a1; or accept "
    )


@pytest.mark.parametrize("kind", [*TOWNS])
def test_every_cure_can_be_said_in_chinese(kind):
    weights, pairs = TOWNS[kind]
    part = partition(as_lots(weights), adjacency=as_matrix(len(weights), pairs))
    for certificate in map(json.loads, part.attrs["findings"]["certificate"]):
        for cure in [
            *proof_cures(certificate),
            "join community A with B",
            "split building b0 by unit (split_large=True)",
        ]:
            chinese = _chinese_cure(_CODE.sub("", cure))
            assert chinese, cure
            assert not re.search(r"[a-z]{3}", chinese), cure
