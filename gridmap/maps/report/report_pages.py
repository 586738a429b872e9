"""Pages of the report: first what leaders read on one sheet, then the tables and maps behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gridmap.maps import facts
from gridmap.maps.report import blocks as b
from gridmap.maps.report.background import background_blocks
from gridmap.maps.report.compliance_pages import compliance_blocks
from gridmap.maps.report.coverage_pages import category_blocks, community_blocks, gap_blocks, headline_rates
from gridmap.maps.report.grid_pages import all_grids_blocks, finding_blocks, out_of_band_blocks
from gridmap.maps.report.maps import overview_map, swatch
from gridmap.maps.report.report_words import Say
from gridmap.maps.report.site_pages import site_blocks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from gridmap.maps.report.blocks import Block
    from gridmap.maps.report.ground import Ground

__all__ = ["report_blocks", "report_title", "theme_legend"]


def report_title(ground: Ground) -> str:
    """What a report is called that is given no title."""
    content = ground.content
    given = [kind for kind in ("plan", "cover", "sites") if getattr(content, kind) is not None]
    return Say(ground.lang)(f"title.{'both' if given[:2] == ['plan', 'cover'] else given[0]}")


def report_blocks(ground: Ground, *, title: str, date: str, notes: Sequence[str], name: str) -> list[Block]:
    """The whole report; see `gridmap.report`."""
    say, content = Say(ground.lang), ground.content
    gaps = None if content.cover is None else content.cover.gaps()
    out = [b.title(title, [say("date", date=date)]), _figures(ground, say, gaps)]
    if content.plan is not None:
        out += [
            b.heading(say("section.overview")),
            b.picture(overview_map(ground, say("section.overview"))),
            theme_legend(ground, say),
            b.text(say("overview.caption"), small=True),
        ]
    if content.cover is not None:
        out += [*([b.new_page()] if content.plan is not None else []), *category_blocks(ground, say)]
        out += community_blocks(ground, say)
        out += [b.new_page(), *gap_blocks(ground, say, gaps)]
    out += compliance_blocks(ground, say)
    if content.sites is not None:
        alone = content.plan is None and content.cover is None
        out += [*([] if alone else [b.new_page()]), *site_blocks(ground, say)]
    if content.plan is not None:
        out += [b.new_page(), *out_of_band_blocks(ground, say), *all_grids_blocks(ground, say)]
    out += finding_blocks(ground, say)
    return [*out, b.new_page(), *background_blocks(ground, say, notes, name)]


def theme_legend(ground: Ground, say: Say, rows: NDArray[np.int64] | None = None) -> Block:
    """What the colours of the grids mean, and how many there are of each; of some grids where `rows` are given."""
    of = np.asarray(ground.theme["of"])
    counts = np.bincount(of if rows is None else of[rows], minlength=len(ground.theme["classes"])).tolist()
    return b.legend(
        [
            (swatch(kind), say("legend.item", label=kind["label"], n=say.number(count)))
            for kind, count in zip(ground.theme["classes"], counts, strict=True)
            if count
        ]
    )


def _figures(ground: Ground, say: Say, gaps: Any) -> Block:
    """Headline figures, those of the interactive map's panel."""
    city = facts.city_facts(ground.content, ground.lower, ground.upper)
    items = []
    if "households" in city:
        note = say("figure.estimated" if city["estimated"] else "figure.given")
        items.append(_figure(say, "households", city["households"], note))
    # residents where they are known, else buildings, so that two rows are full
    second = "residents" if "residents" in city else "buildings"
    if second in city:
        items.append(_figure(say, second, city[second], ""))
    if "grids" in city:
        area = ground.words["unit.km2"].format(n=say.number(city["area_m2"] / 1e6, 2))
        note = say("figure.grids_note", n=say.number(city.get("communities", 0)), area=area)
        items.append(_figure(say, "grids", city["grids"], note))
        label = (
            say("figure.in_own_band")
            if ground.bands.differ
            else say("figure.in_band", lower=say.number(ground.lower), upper=say.number(ground.upper))
        )
        share = city["in_band_share"]
        note = say("figure.in_band_note", part=say.number(city["in_band"]), all=say.number(city["judged"]))
        items.append((say.share(float("nan") if share is None else share), label, note))
    if gaps is not None:
        items += headline_rates(ground, say, gaps)
    return b.figures(items, columns=4)


def _figure(say: Say, key: str, value: float, note: str) -> tuple[str, str, str]:
    return say(f"figure.{key}_value", n=say.number(value)), say(f"figure.{key}"), note
