"""Pages of the atlas: a sheet a community, a sheet a grid."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

from gridmap._version import __version__
from gridmap.maps.classes import STATUSES
from gridmap.maps.facts import grid_facts, is_estimated
from gridmap.maps.report import blocks as b
from gridmap.maps.report.coverage_pages import distance_words
from gridmap.maps.report.grid_pages import status_cell
from gridmap.maps.report.maps import community_map
from gridmap.maps.report.report_pages import theme_legend
from gridmap.maps.report.report_words import Say

if TYPE_CHECKING:
    from typing import Any

    from gridmap.maps.report.blocks import Block, Cell
    from gridmap.maps.report.grid_map import GridMaps
    from gridmap.maps.report.ground import Ground
    from gridmap.maps.report.roster import Nearest, Roster

__all__ = ["atlas_blocks"]

# Room on A4 in millimetres: a page, what stands on every page beside map and tables, a row, and a table without rows.
_PAGE, _FIXED, _ROW, _HEAD = 266, 52, 4.35, 21
_LEAST_MAP, _MOST_MAP = 75, 165
_WIDE = 2
# Longer names end in an ellipsis, so that a row stays one line.
_LABEL, _CATEGORY, _PLACE = 16, 18, 23


def atlas_blocks(
    ground: Ground, rows: list[int], lists: list[Roster], nearest: Nearest | None, maps: GridMaps, *, title: str,
    date: str,
) -> list[Block]:  # fmt: skip
    """The pages of some grids, which are in the order of their communities."""
    say = Say(ground.lang)
    facts = grid_facts(ground.content.tables["grids"])
    out: list[Block] = []
    before = None
    for row in rows:
        owner = int(ground.community_rows[row])
        if owner != before and owner >= 0:
            out += [b.new_page(), *_community_sheet(ground, say, owner, f"{title}{say('comma')}{date}")]
            before = owner
        out += [b.new_page(), *_grid_sheet(ground, say, row, lists[row], nearest, maps, facts, date)]
    return out[1:]


def _community_sheet(ground: Ground, say: Say, owner: int, line: str) -> list[Block]:
    rows = np.flatnonzero(ground.community_rows == owner)
    grids = ground.layers["grids"].table
    counted = [c for c in ("households", "residents", "buildings") if c in grids and grids[c].notna().any()]
    cells: list[list[Cell]] = [
        [
            ground.grid_ids[row],
            ground.grid_names[row],
            *(say.number(float(grids[c].iloc[row])) for c in counted),
            say.number(float(shapely.area(ground.layers["grids"].shapes[row])) / 10_000, 1),
            status_cell(ground, ground.statuses[row]),
        ]
        for row in sorted(rows.tolist(), key=ground.grid_ids.__getitem__)
    ]
    head = [say(f"column.{c}") for c in ("grid", "name", *counted, "area", "status")]
    widths, align = (36, 40, *[20] * len(counted), 22, 28), "ll" + "r" * len(counted) + "rl"
    if not any(ground.grid_names[row] for row in rows):
        cells, head = [c[:1] + c[2:] for c in cells], head[:1] + head[2:]
        widths, align = widths[:1] + widths[2:], align[1:]
    heading = say("atlas.community", community=ground.community_names[owner], n=len(rows))
    return [
        b.title(heading, [ground.places[owner], line]),
        b.picture(community_map(ground, rows, heading)),
        theme_legend(ground, say, rows),
        b.table(head, cells, widths, align, small=True),
    ]


def _grid_sheet(
    ground: Ground, say: Say, row: int, roster: Roster, nearest: Nearest | None, maps: GridMaps,
    facts: dict[str, list[Any]], date: str,
) -> list[Block]:  # fmt: skip
    room = _PAGE - _FIXED - (_table_height(len(nearest.categories), _WIDE) if nearest is not None else 0)
    listed = _table_height(roster.lived_in, _roster_groups(roster))
    # a roster that does not fit below a map of a fair size stands overleaf
    overleaf = listed > room - _LEAST_MAP
    frame = maps.frame(row, int(10 * min(room - (0 if overleaf else listed), _MOST_MAP)))
    owner, community = int(ground.community_rows[row]), ground.community_of(row)
    heading = say("atlas.grid", code=ground.codes[row])
    full = say("dot").join(filter(None, [heading, community]))
    status = ground.words[f"status.{ground.statuses[row]}"] if ground.statuses[row] in STATUSES else ""
    about = [say("atlas.id", id=ground.grid_ids[row]), ground.grid_names[row], status]
    where = ground.places[owner] if owner >= 0 else ""
    made = [where, say("date", date=date), say("note.made", version=__version__)]
    # ten units are a millimetre
    scale = int(round(10_000 / frame.scale, -2))
    caption = say("stop").join([say("atlas.scale", n=say.number(scale)), say("atlas.caption")])
    return [
        b.title(full, [say("comma").join(filter(None, line)) for line in (about, made)]),
        _figures(ground, say, row, facts),
        b.picture(maps.draw(row, frame, heading), caption),
        *(_nearest_blocks(ground, say, row, nearest) if nearest is not None else []),
        *([b.new_page(), b.title(full, [say("atlas.id", id=ground.grid_ids[row])])] if overleaf else []),
        *_roster_blocks(ground, say, roster),
    ]


def _table_height(cells: int, groups: int) -> float:
    """Millimetres that so many cells take in groups side by side, with heading and note."""
    return _HEAD + -(-cells // groups) * _ROW


def _figures(ground: Ground, say: Say, row: int, facts: dict[str, list[Any]]) -> Block:
    words, items = ground.words, []
    for key in ("households", "residents", "buildings"):
        value = facts.get(key, [None] * (row + 1))[row]
        if value is not None:
            items.append((say(f"figure.{key}_value", n=say.number(value)), say(f"figure.{key}"), ""))
    items.append((words["unit.ha"].format(n=say.number(facts["area_m2"][row] / 10_000, 1)), say("figure.area"), ""))
    density = facts.get("density", [None] * (row + 1))[row]
    if density is not None:
        items.append((say.number(density), say("figure.density"), ""))
    return b.figures(items, columns=len(items))


def _nearest_blocks(ground: Ground, say: Say, row: int, nearest: Nearest) -> list[Block]:
    """Categories in two groups side by side: coverage, distance, and the facility nearest to most households."""
    cells: list[list[Cell]] = []
    for column, category in enumerate(nearest.categories):
        facility, far = int(nearest.facility[row, column]), float(nearest.distance[row, column])
        cells.append(
            [
                _short(ground.labels[category], _CATEGORY),
                say.share(float(nearest.rate[row, column]), 0),
                distance_words(ground, say, far) if facility >= 0 else say("none"),
                _short(nearest.facilities[facility], _PLACE) if facility >= 0 else "",
            ]
        )
    head = [say(f"column.{c}") for c in ("category", "rate", "distance_short", "facility")]
    return [
        b.heading(say("atlas.nearest"), 2),
        _grouped(head, cells, (26, 11, 15, 36), "lrrl", _WIDE),
        b.text(say("atlas.nearest_note"), small=True),
    ]


def _roster_blocks(ground: Ground, say: Say, roster: Roster) -> list[Block]:
    lived = roster.lived_in
    residents = _has_residents(roster)
    columns = [roster.number, roster.label, roster.households, roster.residents]
    cells: list[list[Cell]] = [
        [
            str(number),
            _short(str(label), _LABEL),
            say.number(households, 0 if households.is_integer() else 1),
            *([say.number(people)] if residents else []),
        ]
        for number, label, households, people in zip(*(c[:lived].tolist() for c in columns), strict=True)
    ]
    estimated = say("rate.estimated") if is_estimated(ground.content) else ""
    households = say.number(float(roster.households.sum()))
    notes = [say("atlas.roster_note", n=say.number(len(roster.row)), households=households, estimated=estimated)]
    if lived < len(roster.row):
        notes.append(say("atlas.roster_empty", n=say.number(len(roster.row) - lived)))
    if roster.split.any():
        notes.append(say("atlas.split"))
    out = [b.heading(say("atlas.roster"), 2), b.text(say("space").join(notes), small=True)]
    if cells:
        names = ("number", "building", "short_households", *(["short_residents"] if residents else []))
        widths, align = ((7, 22, 8, 8), "rlrr") if residents else ((7, 21, 8), "rlr")
        out.append(_grouped([say(f"column.{c}") for c in names], cells, widths, align, _roster_groups(roster)))
    return out


def _has_residents(roster: Roster) -> bool:
    return bool(np.isfinite(roster.residents[: roster.lived_in]).any())


def _roster_groups(roster: Roster) -> int:
    """How many groups of columns a roster has side by side."""
    return 4 if _has_residents(roster) else 5


def _grouped(head: list[str], cells: list[list[Cell]], widths: tuple[int, ...], align: str, groups: int) -> Block:
    """A long table as several groups of columns side by side, each read from top to bottom."""
    height = -(-len(cells) // groups)
    blank: list[Cell] = [""] * len(head)
    rows: list[list[Cell]] = [
        [
            value
            for g in range(groups)
            for value in ([*([""] if g else []), *(cells[g * height + i] if g * height + i < len(cells) else blank)])
        ]
        for i in range(height)
    ]
    # a narrow empty column keeps the groups apart
    heads = [value for g in range(groups) for value in ([*([""] if g else []), *head])]
    breadth = [value for g in range(groups) for value in ([*([3] if g else []), *widths])]
    return b.table(heads, rows, breadth, "l".join([align] * groups), small=True)


def _short(words: str, letters: int) -> str:
    """Words cut to a width, counting a Chinese letter as two."""
    taken = 0
    for i, letter in enumerate(words):
        taken += 2 if ord(letter) > 0x2E7F else 1
        if taken > letters:
            return words[: max(i - 1, 1)] + "…"
    return words
