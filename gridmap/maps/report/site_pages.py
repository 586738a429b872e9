"""Chosen sites in a report: coverage before and after, the sites by rank, and little maps of whom they newly cover."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

from gridmap.maps.columns import texts_in
from gridmap.maps.report import blocks as b
from gridmap.maps.report.ground import MAIN, PATH, STREET
from gridmap.maps.report.maps import bar, draw_backdrop
from gridmap.tables.crs import to_crs
from gridmap.view.drawing import footprints, frame_for, path, picture

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridmap.maps.report.blocks import Block, Cell
    from gridmap.maps.report.ground import Ground
    from gridmap.maps.report.report_words import Say

__all__ = ["site_blocks"]

#: Sites with a map, and those in the list.
_MAPPED, _LISTED = 6, 30
NEW, OTHER, MARK = "#2a6f8e", "#d3cec3", "#7a1f5c"


def site_blocks(ground: Ground, say: Say) -> list[Block]:
    """What the sites bring by category, the sites in their order, and maps of the first."""
    plan = ground.content.sites
    proof = say("sites.proved") if plan.summary["proved"] else say("sites.gap", n=say.share(plan.summary["gap"], 2))
    out = [b.heading(say("section.sites")), b.text(proof), _rates(ground, say)]
    if not len(plan.sites):
        return [*out, b.text(say("sites.none"))]
    first = plan.sites.drop_duplicates("rank")
    shapes = np.asarray(to_crs(plan.sites, ground.layers["homes"].table.crs).geometry.array)
    names = [name or i for name, i in zip(texts_in(first, "name", ground.lang), first["facility_id"], strict=True)]
    most = max(float(first["gain"].max()), 1e-9)
    rows: list[list[Cell]] = [
        [str(row.rank), name, say.number(row.gain), say.number(row.alone), b.cell("", bar=float(row.gain) / most)]
        for row, name in zip(first.head(_LISTED).itertuples(), names, strict=False)
    ]
    gain = say("column.newly" if plan.siting.question.covers else "column.saved")
    head = [say("column.rank"), say("column.site"), gain, say("column.alone"), ""]
    out.append(b.table(head, rows, (12, 70, 30, 30, 38), "rlrrl"))
    if len(first) > _LISTED:
        out.append(b.text(say("more.sites", n=say.number(len(first) - _LISTED)), small=True))
    out.append(b.text(say("sites.legend"), small=True))
    cards: list[tuple[str, str, list[str]]] = []
    for rank, name in zip(first["rank"].head(_MAPPED), names, strict=False):
        own = np.flatnonzero(plan.sites["rank"] == rank)
        cards.append((_site_map(ground, shapes[own], own), say("sites.card", rank=rank, name=name), []))
    return [*out, b.cards(cards)]


def _rates(ground: Ground, say: Say) -> Block:
    rates = ground.content.sites.rates
    rows: list[list[Cell]] = [
        [
            ground.labels[str(row.category)], say.number(row.total), say.number(row.covered_after - row.covered_before),
            say.share(row.rate_before), b.cell(say.share(row.rate_after), bold=True), say.share(row.rate_reachable),
        ]
        for row in rates.itertuples()
    ]  # fmt: skip
    head = [say(f"column.{c}") for c in ("category", "total", "newly", "rate_before", "rate_after", "rate_reachable")]
    return b.table(head, rows, (44, 24, 26, 26, 26, 34), "lrrrrr")


def _site_map(ground: Ground, shapes: NDArray[np.object_], rows: NDArray[np.int64]) -> str:
    """One site with its places: the buildings that go there and were not covered, all others, and the place itself."""
    plan, homes = ground.content.sites, ground.layers["homes"]
    ids = plan.sites["facility_id"].iloc[rows]
    new = plan.newly_covered.loc[plan.newly_covered["facility_id"].isin(ids), "building_id"]
    served = homes.table["building_id"].isin(new).to_numpy()
    west, south, east, north = shapely.total_bounds(np.concatenate((shapes, homes.shapes[served])))
    grow = max(0.0, 350 - (east - west)) / 2, max(0.0, 250 - (north - south)) / 2
    frame = frame_for((west - grow[0], south - grow[1], east + grow[0], north + grow[1]), 570, 400, margin=0.1)
    here = homes.within(frame.bounds)
    parts = draw_backdrop(ground, frame, (MAIN, STREET, PATH), width=0.7)
    parts.append(path(footprints(homes.shapes[here[~served[here]]], frame), fill=OTHER))
    parts.append(path(footprints(homes.shapes[here[served[here]]], frame), fill=NEW))
    places = frame.units(shapely.get_coordinates(shapely.point_on_surface(shapes)))
    parts += [
        f'<rect x="{x - 13}" y="{y - 13}" width="26" height="26" rx="6" fill="{MARK}" stroke="#fff" stroke-width="5"/>'
        for x, y in places.tolist()
    ]
    return picture([*parts, bar(frame, ground)], frame, str(ids.iloc[0]))
