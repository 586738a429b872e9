"""Inequality between units: against the definitions written out pair by pair, and what must hold whatever the table."""

from __future__ import annotations

import doctest
import importlib.util
import math

import numpy as np
import pandas as pd
import pytest
from conftest import absent
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

import gridmap.coverage.access.inequality
from gridmap.coverage.access.inequality import inequality, location_quotient, lorenz
from gridmap.errors import OptionError

few = settings(max_examples=60, deadline=None, derandomize=True)
# A level of 0 is common and the hard case; weights are households, whole numbers.
levels = st.one_of(st.just(0.0), st.floats(0.01, 5))
units = st.lists(st.tuples(levels, st.integers(0, 40), st.sampled_from("xyz")), min_size=1, max_size=9)


def as_table(rows):
    level, weight, zone = zip(*rows, strict=True)
    ids = [f"u{i * 7 % 10}{i}" for i in range(len(rows))]
    return pd.DataFrame({"unit_id": ids, "total": weight, "rate": level, "zone": zone})


def households(table):
    """The level of every single household."""
    return np.repeat(table["rate"].to_numpy(), table["total"].to_numpy())


def slow_gini(values):
    n = len(values)
    return sum(abs(a - b) for a in values for b in values) / (2 * n * n * values.mean())


def slow_theil(values):
    return sum(v / values.mean() * math.log(v / values.mean()) for v in values if v > 0) / len(values)


def only(table, **options):
    out = inequality(table, **options)
    assert len(out) == 1
    return out.iloc[0]


@few
@given(units)
def test_indices_are_those_of_all_single_households(rows):
    table = as_table(rows)
    every, row = households(table), only(as_table(rows))
    assert row["total"] == len(every)
    if not len(every) or every.sum() == 0:
        assert np.isnan([row["gini"], row["theil"], row["palma"]]).all()
        return
    assert row["mean"] == pytest.approx(every.mean())
    assert row["gini"] == pytest.approx(slow_gini(every), abs=1e-9)
    assert row["theil"] == pytest.approx(slow_theil(every), abs=1e-9)
    assert row["lowest"] == every.min()
    assert row["highest"] == every.max()
    assert row["ratio"] == pytest.approx(np.inf if every.min() == 0 else every.max() / every.min())


@few
@given(units)
def test_palma_is_what_the_best_tenth_has_over_what_the_worst_four_tenths_have(rows):
    table = as_table(rows)
    every = np.sort(np.repeat(households(table), 10))  # ten equal parts, so that both shares are whole numbers of them
    if not len(every) or every.sum() == 0:
        return
    worst, best = every[: len(every) * 4 // 10].sum(), every[len(every) * 9 // 10 :].sum()
    palma = only(table)["palma"]
    assert palma == pytest.approx(best / worst, rel=1e-6) if worst > 1e-6 else palma > 1e3


@few
@given(units)
def test_theil_between_and_within_zones_add_up(rows):
    table = as_table(rows)
    every = households(table)
    row = only(table, group="zone")
    if not len(every) or every.sum() == 0:
        assert np.isnan(row["theil_between"])
        return
    zone = np.repeat(table["zone"].to_numpy(), table["total"].to_numpy())
    parts = [every[zone == z] for z in np.unique(zone)]
    within = sum(p.sum() / every.sum() * slow_theil(p) for p in parts if p.sum() > 0)
    assert row["theil_within"] == pytest.approx(within, abs=1e-9)
    assert row["theil_between"] + row["theil_within"] == pytest.approx(row["theil"], abs=1e-9)
    means = [p.mean() for p in parts]
    assert row["lowest"] == pytest.approx(min(means))
    assert row["highest"] == pytest.approx(max(means))


@few
@given(units)
def test_joining_units_of_equal_level_changes_nothing(rows):
    table = as_table(rows)
    joined = table.groupby("rate", as_index=False).agg(unit_id=("unit_id", "min"), total=("total", "sum"))
    columns = ["total", "mean", "gini", "theil", "lowest", "highest", "ratio", "palma"]
    assert_frame_equal(inequality(table)[columns], inequality(joined)[columns], check_exact=False, atol=1e-9)


@few
@given(units, st.integers(0, 99))
def test_the_order_of_rows_does_not_count(rows, seed):
    table = as_table(rows)
    other = table.sample(frac=1, random_state=seed)
    assert_frame_equal(inequality(table, group="zone"), inequality(other, group="zone"), check_exact=False, rtol=1e-12)
    assert_frame_equal(lorenz(table), lorenz(other))


@few
@given(units)
def test_the_lorenz_curve_hangs_below_the_diagonal_and_its_area_is_the_gini(rows):
    table = as_table(rows)
    points = lorenz(table)
    if households(table).sum() == 0:
        assert points["value_share"].isna().all()
        return
    x, y = points["households_share"].to_numpy(), points["value_share"].to_numpy()
    assert (x[0], y[0]) == (0, 0)
    assert (x[-1], y[-1]) == pytest.approx((1, 1))
    assert (y <= x + 1e-12).all()
    assert points["unit_id"].isna().tolist() == [True, *[False] * (len(points) - 1)]
    assert 1 - 2 * np.trapezoid(y, x) == pytest.approx(only(table)["gini"], abs=1e-9)


@few
@given(units)
def test_quotients_average_to_one_over_the_households(rows):
    table = as_table(rows)
    out = location_quotient(table)
    if households(table).sum() == 0:
        assert out["quotient"].isna().all()
        return
    assert out["quotient"] @ out["total"] / out["total"].sum() == pytest.approx(1)
    # a unit's share of all that is there over its share of the households
    has = table["rate"] * table["total"]
    held = table["total"] > 0
    shares = (has / has.sum() / (table["total"] / table["total"].sum()))[held]
    np.testing.assert_allclose(out["quotient"][held], shares)


def test_each_category_is_a_table_of_its_own():
    one = pd.DataFrame({"unit_id": ["a", "b"], "category": "clinic", "total": [1, 3], "per_1000": [2.0, 4.0]})
    other = one.assign(category="school", per_1000=[5.0, 5.0])
    both = pd.concat([one, other]).sort_values("unit_id")
    out = inequality(both)
    assert out["category"].tolist() == ["clinic", "school"]
    assert out["gini"].tolist() == [only(one)["gini"], 0.0]
    assert location_quotient(both)["quotient"].tolist() == [2 / 3.5, 1.0, 4 / 3.5, 1.0]
    assert lorenz(both)["category"].tolist() == ["clinic"] * 3 + ["school"] * 3


def test_a_unit_without_a_level_is_left_out_and_counted():
    table = as_table([(1.0, 5, "x"), (np.nan, 7, "x"), (np.nan, 0, "x"), (3.0, 5, "y")])
    row = only(table)
    assert (row["units"], row["left_out"], row["total"], row["mean"]) == (2, 1, 10, 2)
    assert location_quotient(table)["quotient"].tolist()[:2] == [0.5, pytest.approx(np.nan, nan_ok=True)]


def test_weights_and_zones_may_come_as_series_by_unit():
    table = as_table([(1.0, 5, "x"), (2.0, 7, "x"), (3.0, 5, "y")])
    weight = table.set_index("unit_id")["total"].iloc[::-1]
    zone = table.set_index("unit_id")["zone"].iloc[::-1]
    bare = table[["unit_id", "rate"]]
    assert_frame_equal(inequality(bare, weight=weight, group=zone), inequality(table, group="zone"))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"value": "speed"}, "'speed'"),
        ({"weight": "elderly"}, "'elderly'"),
        ({"group": "ring"}, "'ring'"),
        ({"value": "zone"}, "numbers"),
        ({"weight": pd.Series([1], index=["u00"])}, "says nothing of 1 rows"),
        ({"weight": pd.Series([1, 1], index=["u00", "u00"])}, "more than once"),
    ],
)
def test_what_cannot_be_read_is_said(options, words):
    with pytest.raises(OptionError, match=words):
        inequality(as_table([(1.0, 5, "x"), (2.0, 7, "y")]), **options)


def test_negative_levels_and_empty_tables_are_refused():
    with pytest.raises(OptionError, match="negative"):
        inequality(as_table([(-1.0, 5, "x")]))
    with pytest.raises(OptionError, match="no rows"):
        lorenz(as_table([(1.0, 5, "x")]).iloc[:0])
    with pytest.raises(OptionError, match="without a group"):
        inequality(as_table([(1.0, 5, None)]), group="zone")


def test_examples():
    failed, tried = doctest.testmod(gridmap.coverage.access.inequality)
    assert (failed, tried > 0) == (0, True)


@pytest.mark.full
def test_indices_equal_those_of_pysal():
    if importlib.util.find_spec("inequality") is None:
        absent("the package inequality", "python -m pip install --no-deps inequality")
    from inequality.gini import Gini
    from inequality.theil import Theil, TheilD

    rng = np.random.default_rng(5)
    for _ in range(20):
        n = int(rng.integers(3, 60))
        level = rng.gamma(2.0, 1.0, n)
        table = pd.DataFrame({"unit_id": np.arange(n), "total": 1, "rate": level, "zone": rng.choice(list("abc"), n)})
        row = only(table, group="zone")
        split = TheilD(level, table["zone"].to_numpy())
        assert row["gini"] == pytest.approx(Gini(level).g)
        assert row["theil"] == pytest.approx(Theil(level).T)
        assert row["theil_between"] == pytest.approx(float(np.ravel(split.bg)[0]))
        assert row["theil_within"] == pytest.approx(float(np.ravel(split.wg)[0]))
