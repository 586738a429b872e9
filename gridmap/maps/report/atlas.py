"""Atlas (一格一图): one printable page a grid, whole subdistricts in one run."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from gridmap.errors import OptionError
from gridmap.io.write.tables import writing_set
from gridmap.maps.report.report import page_content, page_path, today
from gridmap.maps.words import check_language

if TYPE_CHECKING:
    from os import PathLike
    from pathlib import Path

    from gridmap.maps.report.ground import Ground

__all__ = ["atlas"]

_BY = ("grid", "community", "subdistrict")


def atlas(
    path: str | PathLike[str],
    plan: Any,
    *,
    by: str = "grid",
    cover: Any = None,
    lang: str = "en",
    title: str | None = None,
    date: str | None = None,
) -> list[Path]:
    """Write an atlas: for each community a page with all its grids, then one page a grid.

    The page of a grid has a map (buildings with numbers, streets, compounds, gates, the neighbours' codes), totals, the
    roster of buildings with their households, and the nearest facilities where a cover is given. It prints on A4
    upright and opens without a network; a long roster stands overleaf.

    Parameters
    ----------
    path
        The file: .html, or .pdf (needs the extra ``pdf``).
    plan
        A `GridPlan`.
    by
        What one file holds: ``"grid"``, all grids in the one file `path`; ``"community"`` or ``"subdistrict"``, a file
        each, called as `path` with a dash and the community's id, or the subdistrict's name, before the suffix.
    cover
        A `Cover` for the nearest facilities.
    lang
        ``"en"`` or ``"zh"``.
    title, date
        Name of the atlas at the foot of each page, and its date; by default "Atlas of the grids", and today.

    Returns
    -------
    list of Path
        The files, in the order of communities and codes. Who is responsible for a grid is not printed.

    Raises
    ------
    OptionError
        When `by`, the language or the suffix is unknown, communities have no subdistrict, or a PDF is asked for
        without its extra.
    WriteError
        When a file cannot be written; none is then, and former ones are unchanged.
    """
    from gridmap.maps.report.atlas_pages import atlas_blocks
    from gridmap.maps.report.grid_map import GridMaps
    from gridmap.maps.report.ground import ground_of
    from gridmap.maps.report.report_words import Say
    from gridmap.maps.report.roster import nearest_by_grid, rosters

    check_language(lang)
    if by not in _BY:
        raise OptionError(f"by={by!r}; an atlas is made by one of {', '.join(map(repr, _BY))}")
    target = page_path(path)
    ground = ground_of(plan, cover, lang)
    lists = rosters(ground)
    nearest, maps = nearest_by_grid(ground), GridMaps(ground, lists)
    shown, when = title or Say(lang)("title.atlas"), date or today()
    files = _files(ground, target, by)
    paths = [file for file, _ in files]
    with writing_set(paths) as drafts:
        for draft, (file, rows) in zip(drafts, files, strict=True):
            blocks = atlas_blocks(ground, rows, lists, nearest, maps, title=shown, date=when)
            draft.write_bytes(page_content(file, blocks, title=shown, lang=lang))
    return paths


def _files(ground: Ground, path: Path, by: str) -> list[tuple[Path, list[int]]]:
    """Each file and the rows of its grids, in the order of subdistricts, communities and codes."""
    ids = ground.grid_ids
    owners = ground.community_rows.tolist()
    communities = ground.layers["communities"].table
    names = communities["community_id"].astype(str).tolist()
    if by == "subdistrict" and "subdistrict" not in communities:
        raise OptionError("by='subdistrict' needs a column subdistrict of the communities; or choose by='community'")
    districts = communities.get("subdistrict", communities["community_id"]).fillna("").astype(str).tolist()
    keys = [(districts[o], names[o], i) if o >= 0 else ("", "", i) for o, i in zip(owners, ids, strict=True)]
    order = sorted(range(len(ids)), key=keys.__getitem__)
    if by == "grid":
        return [(path, order)]
    column = 1 if by == "community" else 0
    out: dict[str, list[int]] = {}
    for row in order:
        out.setdefault(keys[row][column], []).append(row)
    stems = [re.sub(r"[^\w.-]+", "_", key)[:60] or "none" for key in out]
    # two names that a file system cannot tell apart get a number
    again = [stems[:i].count(stem) for i, stem in enumerate(stems)]
    files = [f"{path.stem}-{s}{f'-{n + 1}' if n else ''}{path.suffix}" for s, n in zip(stems, again, strict=True)]
    return [(path.with_name(file), rows) for file, rows in zip(files, out.values(), strict=True)]
