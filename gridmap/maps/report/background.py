"""What a report rests on: method, assumptions, sources, notes, and the call that made it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from gridmap._version import __version__
from gridmap.maps.notes import own_notes, sources_of, standing_notes
from gridmap.maps.report import blocks as b

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import pandas as pd

    from gridmap.maps.report.blocks import Block, Cell
    from gridmap.maps.report.ground import Ground
    from gridmap.maps.report.report_words import Say

__all__ = ["background_blocks", "the_calls"]

_TABLES = ("communities", "grids", "buildings", "compounds", "entrances", "streets", "barriers", "facilities")
_OF_PLAN = ("lower", "upper", "weight", "code", "object_code", "effort", "seed")
_OF_SITES = (
    "category", "minutes", "metres", "count", "target", "budget", "objective", "weight", "cost", "fixed", "together",
    "profile", "exact", "seed",
)  # fmt: skip
_OF_COVER = ("minutes", "metres", "rules", "how", "k", "profile")


def background_blocks(ground: Ground, say: Say, notes: Sequence[str], name: str) -> list[Block]:
    """The last pages of a report."""
    return [
        b.heading(say("section.method")),
        b.listed(_method(ground, say)),
        b.heading(say("section.assumptions")),
        _assumptions(ground, say),
        *_sources(ground, say),
        b.heading(say("section.notes")),
        b.listed(_notes(ground, say, notes)),
        b.heading(say("section.call")),
        b.code(the_calls(ground, "report", name)),
    ]


def the_calls(ground: Ground, function: str, name: str) -> str:
    """The Python that makes this page again, with every option that was given; the tables by their names."""
    plan, cover = ground.content.plan, ground.content.cover
    lines = ["import gridmap as gm", ""]
    if plan is not None:
        given = plan.parameters.get("source") == "grids"
        options = [(key, plan.parameters[key]) for key in _OF_PLAN if plan.parameters.get(key) is not None]
        tables = [t for t in ("compounds", "barriers", "entrances") if getattr(plan, t, None) is not None]
        streets = "streets" if getattr(plan, "streets", None) is not None else "None"
        start = "gm.GridPlan.from_grids(grids, " if given else "gm.divide("
        if given:
            options = [(key, value) for key, value in options if key not in ("effort", "seed")]
        lines.append(_call(f"plan = {start}communities, buildings, {streets}", tables, options))
    if cover is not None:
        options = [(key, cover.parameters[key]) for key in _OF_COVER if cover.parameters.get(key) is not None]
        streets = "streets" if cover.network is not None else "None"
        lines.append(_call(f"cover = gm.cover(buildings, facilities, {streets}", [], options))
    sites = ground.content.sites
    if sites is not None:
        options = [(key, sites.parameters[key]) for key in _OF_SITES if key in sites.parameters]
        tables = ["existing"] if len(sites.siting.existing) else []
        lines.append(_call("sites = gm.locate(buildings, candidates, streets", tables, options))
    if ground.content.compliance is not None:
        lines.append(_compliance_call(ground.content.compliance, ground.grid_ids if "grids" in ground.layers else []))
    if function == "atlas":
        first, tables = f"gm.atlas({name!r}, plan", ["cover"] if cover is not None else []
    else:
        first = f"gm.report({name!r}"
        parts = ("plan", "cover", "sites", "compliance")
        tables = [name for name in parts if getattr(ground.content, name) is not None]
    lines.append(_call(first, tables, [("lang", ground.lang)]))
    return "\n".join(lines)


def _compliance_call(compliance: pd.DataFrame, grids: Iterable[str]) -> str:
    """The call that made a compliance table; standards by their names, which of a local file is that of the file."""
    units = set(compliance["unit_id"].astype(str))
    by = "" if units == {"all"} else ", by=plan" if units <= set(grids) else ", by=communities"
    options = compliance.attrs.get("parameters", {}).items()
    return _call(f"compliance = cover.compliance({list(compliance['standard'].unique())!r}{by}", [], options)


def _call(start: str, tables: Iterable[str], options: Iterable[tuple[str, Any]]) -> str:
    arguments = [*(f"{name}={name}" for name in tables), *(f"{key}={_literal(value)}" for key, value in options)]
    return ", ".join([start, *arguments]) + ")"


def _literal(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return repr(value)


def _method(ground: Ground, say: Say) -> list[str]:
    plan, cover = ground.content.plan, ground.content.cover
    out = []
    if plan is not None:
        out.append(say("method.given" if plan.parameters.get("source") == "grids" else "method.grids"))
    if cover is not None:
        out += [say(f"method.{cover.how}"), say("method.gaps")]
    if ground.content.sites is not None:
        out.append(say("method.sites"))
    return [*out, say("method.display")]


def _assumptions(ground: Ground, say: Say) -> Block:
    plan, cover = ground.content.plan, ground.content.cover
    rows: list[list[Cell]] = []
    if plan is not None:
        rows += [
            [say(f"parameter.{key}"), _value(say, plan.parameters[key])]
            for key in _OF_PLAN
            if plan.parameters.get(key) is not None
        ]
    if cover is not None:
        limits = {ground.labels[str(c)]: limit for c, limit in cover.thresholds.items()}
        same = len(set(limits.values())) == 1
        told = f"{next(iter(limits.values())):g}" if same else _mapping(say, limits)
        rows.append([say(f"parameter.{cover.measure}"), told])
        rows += [[say(f"parameter.{key}"), _value(say, getattr(cover, key))] for key in ("how", "k", "profile")]
    rows += _asked(ground, say)
    estimate = _estimate(ground)
    rows += [
        [ground_key, _mapping(say, value) if isinstance(value, dict) else _value(say, value)]
        for ground_key, value in estimate
    ]
    return b.table([say("column.item"), say("column.value")], rows, (60, 120), "ll", small=True)


def _asked(ground: Ground, say: Say) -> list[list[Cell]]:
    """What was asked of the sites."""
    sites = ground.content.sites
    if sites is None:
        return []
    question = sites.siting.question
    rows: list[list[Cell]] = [
        [say("parameter.category"), say("comma").join(ground.labels.get(c, c) for c in question.categories)],
        [say("parameter.objective"), _value(say, question.objective)],
    ]
    limits = {ground.labels.get(c, c): limit for c, limit in question.limits.items() if limit < float("inf")}
    if limits:
        rows.append([say(f"parameter.{question.measure}"), _mapping(say, limits)])
    for key in ("count", "target", "budget"):
        value = sites.parameters.get(key)
        if value is not None:
            shown = {ground.labels.get(c, c): v for c, v in value.items()} if isinstance(value, dict) else value
            rows.append(
                [say(f"parameter.{key}"), _mapping(say, shown) if isinstance(shown, dict) else _value(say, shown)]
            )
    return rows


def _estimate(ground: Ground) -> list[tuple[str, Any]]:
    """What an estimate of households assumed, in the words of the workbook."""
    from gridmap.io.write.workbook_words import word

    tables = (ground.content.tables.get("buildings"), getattr(ground.content.cover, "buildings", None))
    known: Mapping[str, Any] = next(
        (t.attrs["assumptions"] for t in tables if t is not None and t.attrs.get("assumptions")), {}
    )
    estimate = word("estimate", ground.lang)
    return [
        (f"{estimate}: {word(str(key), ground.lang)}", value) for key, value in known.items() if value not in ({}, [])
    ]


def _sources(ground: Ground, say: Say) -> list[Block]:
    lines = []
    for name in _TABLES:
        table = ground.content.tables.get(name)
        if table is None or (name == "grids" and ground.content.plan is not None):
            continue
        reading: Mapping[str, Any] = table.attrs.get("reading", {})
        label = say(f"table.{name}")
        if "source" in reading:
            # the folders of whoever made the page are nobody's business
            file, kept = Path(str(reading["source"])).name, reading.get("rows_kept", len(table))
            read = reading.get("rows_read", kept)
            lines.append(say("source.rows", table=label, file=file, kept=say.number(kept), read=say.number(read)))
        else:
            lines.append(say("source.table", table=label, kept=say.number(len(table))))
    return [b.heading(say("section.sources")), b.listed(lines)]


def _notes(ground: Ground, say: Say, given: Sequence[str]) -> list[str]:
    words, content = ground.words, ground.content
    source = sources_of(content)
    out = [
        *given,
        *standing_notes(content, words),
        *own_notes(content),
        *([words["note.source"].format(source=source)] if source else []),
        say("note.offline"),
        say("note.made", version=__version__),
    ]
    return list(dict.fromkeys(out))


def _value(say: Say, value: Any) -> str:
    if isinstance(value, str):
        return say(f"value.{value}") if say.has(f"value.{value}") else value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"{value:,.10g}"
    return str(value)


def _mapping(say: Say, value: Mapping[Any, Any]) -> str:
    return say("semicolon").join(f"{key} {_value(say, one)}" for key, one in value.items())
