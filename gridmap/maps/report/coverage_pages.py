"""Coverage in a report: by category, by community, and the blind spots with little maps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from gridmap.maps.facts import is_estimated
from gridmap.maps.report import blocks as b
from gridmap.maps.report.maps import gap_map
from gridmap.tables.crs import to_crs
from gridmap.view.colours import RATES, rate_class

if TYPE_CHECKING:
    from gridmap.maps.report.blocks import Block, Cell
    from gridmap.maps.report.ground import Ground
    from gridmap.maps.report.report_words import Say

__all__ = ["category_blocks", "community_blocks", "distance_words", "gap_blocks", "headline_rates", "limit_words"]

#: Blind spots with a map, those in the list below, and categories side by side in one table.
_MAPPED, _LISTED, _SIDE_BY_SIDE = 9, 19, 10
#: The darkest class of rates wants pale letters; the report keeps ink on the paler ones instead.
_FILLS = (*RATES[:4], "#7fb8c6")


def headline_rates(ground: Ground, say: Say, gaps: Any) -> list[tuple[str, str, str]]:
    """Who reaches all, the category that fewest reach, the blind spots, and how many facilities count."""
    cover = ground.content.cover
    rates = cover.rate()
    items = []
    whole = cover.completeness(by=pd.Series("all", index=cover.buildings["building_id"])).iloc[0]
    note = say(
        "figure.all_note", n=say.number(whole["all"]), total=say.number(whole["total"]), k=int(whole["categories"])
    )
    items.append((say.share(whole["all_rate"]), say("figure.all_reached"), note))
    known = rates[rates["rate"].notna()]
    if len(known):
        low = known.sort_values(["rate", "category"], kind="stable").iloc[0]
        label = say("figure.lowest", category=ground.labels[str(low["category"])])
        note = say("figure.lowest_note", n=say.number(low["covered"]), total=say.number(low["total"]))
        items.append((say.share(low["rate"]), label, note))
    largest = say("figure.spots_note", n=say.number(gaps["households"].iloc[0])) if len(gaps) else ""
    items.append((say("figure.spots_value", n=say.number(len(gaps))), say("figure.spots"), largest))
    counted = int(cover.counted.sum())
    note = say("figure.facilities_note", n=say.number(len(cover.facilities)))
    items.append((say("figure.facilities_value", n=say.number(counted)), say("figure.facilities"), note))
    return items


def limit_words(ground: Ground, say: Say, category: str) -> str:
    """The limit of a category, in words."""
    cover = ground.content.cover
    limit = cover.thresholds.get(category)
    if limit is None:
        return say("limit.rule")
    straight = "straight_" if cover.how == "straight" else ""
    measure = cover.measure if cover.rules is None else cover.rules.measures.get(category, cover.measure)
    return say(f"limit.{straight}{measure}", n=f"{limit:g}")


def distance_words(ground: Ground, say: Say, distance: float) -> str:
    """A distance in the measure of the cover."""
    if not np.isfinite(distance):
        return say("distance.none")
    measure = ground.content.cover.measure
    return say(f"distance.{measure}", n=say.number(distance, 1 if measure == "minutes" else 0))


def category_blocks(ground: Ground, say: Say) -> list[Block]:
    """One row a category: limit, facilities, households covered and not, rate; the denominator named above it."""
    rates = ground.content.cover.rate()
    total = float(rates["total"].max()) if len(rates) else 0.0
    estimated = say("rate.estimated") if is_estimated(ground.content) else ""
    rows: list[list[Cell]] = [
        [
            ground.labels[str(row.category)],
            limit_words(ground, say, str(row.category)),
            "" if pd.isna(row.facilities) else say.number(float(row.facilities)),
            say.number(row.covered),
            say.number(row.total - row.covered),
            b.cell(say.share(row.rate), bold=True),
            b.cell("", bar=0.0 if pd.isna(row.rate) else float(row.rate)),
        ]
        for row in rates.sort_values(["rate", "category"], ascending=[False, True], kind="stable").itertuples()
    ]
    head = [say(f"column.{c}") for c in ("category", "limit", "facilities", "covered", "uncovered", "rate", "bar")]
    return [
        b.heading(say("section.category")),
        b.text(say("rate.of", n=say.number(total), estimated=estimated, sheet=say("section.facilities"))),
        b.table(head, rows, (30, 32, 16, 24, 22, 17, 38), "llrrrrl"),
    ]


def community_blocks(ground: Ground, say: Say) -> list[Block]:
    """Rates of each community, then the facilities that stand in it, so many categories a table as fit."""
    communities = ground.content.tables.get("communities")
    if communities is None:
        return []
    rates = ground.content.cover.rate(by=communities)
    names = [str(name) for name in ground.content.cover.names]
    ids = communities["community_id"].astype(str).tolist()
    wide = {
        column: rates.pivot_table(index="unit_id", columns="category", values=column, aggfunc="first", dropna=False)
        .reindex(index=ids, columns=names).apply(pd.to_numeric, errors="coerce")
        for column in ("total", "rate", "facilities")
    }  # fmt: skip
    out = [b.heading(say("section.community")), b.text(say("rate.community"), small=True)]
    for some in _chunks(names):
        rows: list[list[Cell]] = [
            [
                ground.community_names[i],
                say.number(wide["total"].iloc[i].max()),
                *(_rate_cell(say, wide["rate"].loc[own, name]) for name in some),
            ]
            for i, own in enumerate(ids)
        ]
        out.append(_wide_table(ground, say, some, rows, households=True))
    out += [b.heading(say("section.facilities")), b.text(say("facilities.note"), small=True)]
    own_kinds = [name for name in names if wide["facilities"][name].notna().any()]
    for some in _chunks(own_kinds):
        rows = [
            [
                ground.community_names[i],
                *(
                    b.cell(say.number(value), fill="" if value else "#f3c7b8")
                    for value in wide["facilities"].loc[own, some]
                ),
            ]
            for i, own in enumerate(ids)
        ]
        out.append(_wide_table(ground, say, some, rows, households=False))
    return out


def gap_blocks(ground: Ground, say: Say, gaps: Any) -> list[Block]:
    """The blind spots in their order: maps of the first, a list of the next, and what is left out."""
    out = [b.heading(say("section.gaps"))]
    if not len(gaps):
        return [*out, b.text(say("gap.none"))]
    shapes = np.asarray(to_crs(gaps, ground.layers["homes"].table.crs).geometry.array)
    where = _communities_at(ground, shapes)
    out.append(b.text(say("gap.legend"), small=True))
    items = []
    for i, row in enumerate(gaps.head(_MAPPED).itertuples()):
        category = str(row.category)
        far = getattr(row, ground.content.cover.measure)
        way = say("gap.far", n=distance_words(ground, say, far)) if np.isfinite(far) else say("gap.no_way")
        lines = [say("gap.households", n=say.number(row.households), b=say.number(row.buildings)), way, where[i]]
        label = say("gap.title", rank=row.rank, category=ground.labels[category])
        items.append((gap_map(ground, shapes[i], category), label, [line for line in lines if line]))
    out.append(b.cards(items))
    rest = gaps.iloc[_MAPPED:_LISTED]
    if len(rest):
        rows: list[list[Cell]] = [
            [
                str(row.rank), ground.labels[str(row.category)], where[_MAPPED + i], say.number(row.households),
                say.number(row.buildings), distance_words(ground, say, getattr(row, ground.content.cover.measure)),
            ]
            for i, row in enumerate(rest.itertuples())
        ]  # fmt: skip
        head = [say(f"column.{c}") for c in ("rank", "category", "community", "uncovered", "buildings", "distance")]
        out.append(b.table(head, rows, (10, 36, 44, 30, 24, 32), "rllrrr", small=True))
    left = gaps.iloc[_LISTED:]
    if len(left):
        out.append(
            b.text(
                say("more.gaps", n=say.number(len(left)), households=say.number(left["households"].sum())), small=True
            )
        )
    return out


def _rate_cell(say: Say, rate: float) -> Cell:
    kind = rate_class(rate)
    return b.cell(say.share(rate, 0 if rate in (0, 1) else 1), fill=_FILLS[kind] if kind >= 0 else "")


def _wide_table(ground: Ground, say: Say, names: list[str], rows: list[list[Cell]], *, households: bool) -> Block:
    head = [say("column.community"), *([say("column.households")] if households else [])]
    first = (34, 17) if households else (51,)
    # columns that are not there leave their room at the right, so that tables below one another line up
    spare = _SIDE_BY_SIDE - len(names)
    blank: list[Cell] = [""] * spare
    return b.table(
        [*head, *(ground.labels[name] for name in names), *[""] * spare],
        [[*row, *blank] for row in rows],
        (*first, *[12.6] * _SIDE_BY_SIDE),
        ("lr" if households else "l") + "r" * _SIDE_BY_SIDE,
        small=True,
    )


def _chunks(names: list[str]) -> list[list[str]]:
    return [names[i : i + _SIDE_BY_SIDE] for i in range(0, len(names), _SIDE_BY_SIDE)]


def _communities_at(ground: Ground, shapes: Any) -> list[str]:
    """The community in which most of each area lies."""
    layer = ground.layers.get("communities")
    if layer is None:
        return [""] * len(shapes)
    area, community = layer.tree.query(shapes, predicate="intersects")
    size = shapely.area(shapely.intersection(shapes[area], shapely.make_valid(layer.shapes[community])))
    best = pd.DataFrame({"area": area, "community": community, "size": size}).sort_values(["area", "size"])
    chosen = best.drop_duplicates("area", keep="last").set_index("area")["community"]
    return [ground.community_names[chosen[i]] if i in chosen.index else "" for i in range(len(shapes))]
