"""What results show of themselves: small summaries in a notebook, and figures for papers."""

from __future__ import annotations

import re
import sys

import geopandas as gpd
import numpy as np
import pytest
import shapely
from map_town import CRS, HOSTILE, make_city, make_town

from gridmap.errors import OptionError
from gridmap.view.colours import RATES, STATUS_COLOURS, UNCOVERED, rate_class
from gridmap.view.summaries import plan_html


@pytest.fixture(scope="module")
def town():
    return make_town()


@pytest.fixture
def pyplot():
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot as plt

    yield plt
    plt.close("all")


def legend_of(axes) -> dict[str, int]:
    texts = [t.get_text() for t in axes.get_legend().get_texts()]
    return {t.split(" (")[0]: int(re.search(r"\(([\d,]+)", t)[1].replace(",", "")) for t in texts}


# -- notebook --------------------------------------------------------------------------------------------------------


def test_a_plan_shows_its_figures_and_a_picture(town):
    shown = town["plan"]._repr_html_()
    for text in ("2 of 4", "1,729", "within the band (2)", "above the band (1)", "dedicated (1)"):
        assert text in shown
    assert "110101001001003: 612 households, above" in shown
    fills = re.findall(r'<path d="[^"]+" fill="(#\w+)"', shown)
    assert set(fills) == {STATUS_COLOURS[s] for s in town["grids"]["status"]}


def test_a_cover_shows_its_rates_and_a_picture(town):
    shown = town["cover"]._repr_html_()
    for row in town["cover"].rate().itertuples():
        assert f"<td style='text-align:right'>{row.covered:,.0f}</td>" in shown
        assert f"{row.rate:.1%}" in shown
    reached = town["cover"].completeness()["share"]
    counts = {"reach every category": reached >= 1, "some": (reached > 0) & (reached < 1), "none": reached == 0}
    for name, rows in counts.items():
        assert (f"{name} ({rows.sum()} buildings)" in shown) == rows.any()
    assert (UNCOVERED in shown) == (reached == 0).any()


def test_a_notebook_of_twenty_stays_small(town):
    plan, cover, _ = make_city()
    for result in (plan, cover, town["plan"], town["cover"]):
        shown = result._repr_html_()
        assert "<svg" in shown
        assert len(shown.encode()) < 60_000
        assert re.findall(r"(?:src|href)=|<script|https?://(?!www\.w3\.org/2000/svg)", shown) == []


def test_twenty_five_thousand_grids_are_specks(town):
    count = 158
    corners = np.stack(np.meshgrid(np.arange(count), np.arange(count)), axis=-1).reshape(-1, 2) * 200.0 + 400_000
    shapes = shapely.box(corners[:, 0], corners[:, 1], corners[:, 0] + 200, corners[:, 1] + 200)
    columns = {"grid_id": [str(i) for i in range(count**2)], "households": 400.0, "status": "legal"}
    grids = gpd.GeoDataFrame(columns, geometry=shapes, crs=CRS)
    shown = plan_html(grids, town["communities"], [("grids", "24,964")], "")
    assert "within the band (24,964)" in shown
    assert len(shown.encode()) < 100_000


def test_hostile_names_stay_words(town):
    homes = town["buildings"]
    for name in HOSTILE:
        grids = town["grids"].assign(grid_id=[f"{name}{i}" for i in range(6)])
        shown = plan_html(grids, town["communities"], [(name, name)], name)
        assert "<script>" not in shown
        assert "<img" not in shown
    services = town["facilities"].assign(category=HOSTILE[0], status="existing")
    from gridmap import cover

    shown = cover(homes, services, metres=100, how="straight")._repr_html_()
    assert "<script>" not in shown
    assert "&lt;/script&gt;" in shown


# -- figures ---------------------------------------------------------------------------------------------------------


def test_a_figure_of_a_plan_has_a_legend_and_a_scale(town, pyplot, tmp_path):
    axes = town["plan"].plot(labels=True)
    assert legend_of(axes) == {
        "Within the band": 2, "Above the band": 1, "Below the band": 1, "No households": 1, "Dedicated": 1,
    }  # fmt: skip
    words = [t.get_text() for t in axes.texts]
    assert words[:-1] == ["001", "002", "003", "001", "002", "003"]
    # the bar is as long as it says
    length = float(re.fullmatch(r"(\d+) m", words[-1])[1])
    bar = axes.lines[-1].get_xdata()
    assert max(bar) - min(bar) == pytest.approx(length)
    axes.figure.savefig(tmp_path / "plan.png")
    own = pyplot.subplots()[1]
    assert town["plan"].plot(ax=own) is own


def test_a_figure_of_a_cover_counts_buildings(town, pyplot, tmp_path):
    axes = town["cover"].plot("clinic")
    reach = town["cover"].reach
    within = int(reach["covered"][reach["category"] == "clinic"].sum())
    assert legend_of(axes) == {"Within reach": within, "Out of reach": 24 - within, "Facility": 2}
    assert axes.get_title() == "clinic, 120 m"
    # the colour of a small building is not hidden by its outline
    for buildings in axes.collections[:2]:
        assert (buildings.get_edgecolor() == buildings.get_facecolor()).all()
    axes.figure.savefig(tmp_path / "cover.png")
    assert sum(legend_of(town["cover"].plot()).values()) == 24
    with pytest.raises(OptionError, match="clinic"):
        town["cover"].plot("bank")
    assert len(pyplot.get_fignums()) == 2


def test_chinese_words_are_drawn_without_a_complaint(town, pyplot, tmp_path):
    from matplotlib import font_manager

    from gridmap.view.figures import plot_reach
    from gridmap.view.fonts import CHINESE_FONTS

    if not {f.name for f in font_manager.fontManager.ttflist} & set(CHINESE_FONTS):
        pytest.fail("install a font with Chinese letters, for example fonts-noto-cjk")
    axes = plot_reach(town["buildings"], np.ones(24), town["facilities"], title="菜鸟驿站")
    axes.figure.savefig(tmp_path / "cover.png")  # a glyph that is missing is a warning, and so an error here
    assert pyplot.get_fignums()


def test_without_matplotlib_the_remedy_is_named(town, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    for result in (town["plan"], town["cover"]):
        with pytest.raises(OptionError, match=r"gridmap-planner\[plot\]"):
            result.plot()


def test_rates_fall_into_fifths():
    shares = (0, 0.2, 0.2001, 0.6, 0.81, 1, float("nan"))
    assert [rate_class(r) for r in shares] == [0, 0, 1, 2, 4, 4, -1]
    assert len(RATES) == 5
