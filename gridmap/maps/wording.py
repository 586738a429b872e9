"""Wording: everything of a page that depends on its language, apart from what does not."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING, Any, NamedTuple

from gridmap._version import __version__
from gridmap.maps import classes, facts
from gridmap.maps.columns import coded, in_language, texts, texts_in
from gridmap.maps.compliance_lights import compliance_theme, said_compliance
from gridmap.maps.drawn import findings_in_order
from gridmap.maps.finding_words import finding_text
from gridmap.maps.grid_names import short_names
from gridmap.maps.notes import own_notes, sources_of, standing_notes
from gridmap.maps.sheet import TILINGS, TOLERANCES
from gridmap.maps.themes import make_themes
from gridmap.maps.words import LANGUAGES, category_labels, words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gridmap.maps.bands import Bands
    from gridmap.maps.sheet import Sheet

__all__ = ["Given", "difference", "merged", "word_page"]

_FACILITY_TEXTS = ("address", "phone", "opening_hours")


class Given(NamedTuple):
    """What the caller says about the page; a text may be a mapping from language to text."""

    title: str | Mapping[str, str] | None = None
    notes: Sequence[str | Mapping[str, str]] = ()
    attribution: str | Mapping[str, str] | None = None
    online_map: bool = False
    approval_number: str | None = None
    internal: bool = False
    scheme: str = "Quantiles"
    routes_megabytes: float | None = None


def word_page(sheet: Sheet, lang: str, given: Given, bands: Bands | None, rates: facts.Rates | None) -> dict[str, Any]:
    """The part of a payload that is in a language: words, title, notes, labels, names, findings, classes."""
    say = words(lang)
    labels = category_labels(sheet.categories, lang)
    both = [category_labels(sheet.categories, one) for one in LANGUAGES]
    return {
        "lang": lang,
        "words": say,
        "title": _title(given.title, lang) or say[_default_title(sheet)],
        "source": _source(sheet, lang, given),
        "notes": _notes(sheet, lang, given),
        "categories": _categories(sheet, labels, both),
        "layers": {kind: named(sheet, lang) for kind, named in _NAMED.items() if kind in sheet.content.tables}
        | _findings(sheet, lang, labels),
        "counted": _counted(bands, say),
        "own": [
            {"name": _one(name, lang) or say["layer.own"].format(n=i + 1)} for i, (name, _) in enumerate(sheet.own)
        ],
        "themes": _themes(make_themes(sheet, bands, rates, say, labels, given.scheme), compliance_theme(sheet, say)),
    } | ({} if sheet.content.compliance is None else {"compliance": said_compliance(sheet, lang)})


def _themes(themes: list[dict[str, Any]], compliance: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Compliance comes after the first theme, with which the page opens."""
    return [*themes[:1], *compliance, *themes[1:]]


def merged(first: Any, second: Any) -> Any:
    """Two nested values as one; where both hold something, the second."""
    if isinstance(first, dict) and isinstance(second, dict):
        return first | {key: merged(first.get(key), value) for key, value in second.items()}
    if isinstance(first, list) and isinstance(second, list) and first and isinstance(first[0], dict):
        return [merged(one, two) for one, two in zip(first, second, strict=True)]
    return second


def difference(other: Any, first: Any) -> Any:
    """What of a nested value is not the same in the first; lists of mappings by their places."""
    if isinstance(other, list):
        other, first = dict(enumerate(other)), dict(enumerate(first))
    out = {}
    for key, value in other.items():
        old = first.get(key)
        deep = isinstance(value, dict) or (isinstance(value, list) and value and isinstance(value[0], dict))
        if deep and old is not None and len(value) and (inner := difference(value, old)):
            out[str(key)] = inner
        elif not deep and value != old:
            out[str(key)] = value
    return out


def _one(text: Any, lang: str) -> str:
    """A text in one language, of a text or a mapping from language to text."""
    if isinstance(text, str) or text is None:
        return text or ""
    return str(text.get(lang) or next(iter(text.values()), ""))


def _title(text: Any, lang: str) -> str:
    """A title in one language; empty where it is given in others only."""
    return _one(text if text is None or isinstance(text, str) else {lang: text.get(lang, "")}, lang)


def _categories(sheet: Sheet, labels: Mapping[str, str], both: Sequence[Mapping[str, str]]) -> list[dict[str, Any]]:
    counts = {} if sheet.facilities is None else sheet.facilities["category"].astype(str).value_counts().to_dict()
    rows = []
    for category in sheet.categories:
        # looked up by its names in all languages, so that a symbol stays what it is
        glyph, colour = classes.category_symbol(" ".join([category, *(of[category] for of in both)]), labels[category])
        count = int(counts.get(category, 0))
        rows.append({"id": category, "label": labels[category], "glyph": glyph, "colour": colour, "count": count})
    return rows


def _findings(sheet: Sheet, lang: str, labels: Mapping[str, str]) -> dict[str, Any]:
    table = sheet.content.tables.get("findings")
    if table is None:
        return {}
    rows = table.iloc[findings_in_order(table)].to_dict("records")
    said = [finding_text(row, lang, labels) for row in rows]
    return {"findings": {"text": [text for text, _ in said], "cure": [cure for _, cure in said]}}


def _notes(sheet: Sheet, lang: str, given: Given) -> list[str]:
    content, say = sheet.content, words(lang)
    notes = [
        *(_one(note, lang) for note in given.notes),
        *standing_notes(content, say),
        *([say["note.counted"]] if content.cover is not None else []),
        *own_notes(content),
        say["note.display"].format(tolerance=f"{max(*TILINGS.values(), *TOLERANCES.values()):g}"),
        *([] if given.routes_megabytes is None else [say["note.routes"].format(n=f"{given.routes_megabytes:.1f}")]),
        *([say["note.photos"].format(n=sheet.photos[1])] if sheet.photos[1] else []),
        *([say["note.datum"].format(datum=sheet.datum)] if sheet.datum is not None else []),
        *([say["note.basemap"]] if given.online_map else []),
    ]
    if source := _source(sheet, lang, given):
        notes.append(say["note.source"].format(source=source))
    notes.append(say["note.made"].format(version=__version__, leaflet=_leaflet_version()))
    return list(dict.fromkeys(notes))


def _source(sheet: Sheet, lang: str, given: Given) -> str:
    """Where the data comes from: as the caller says, else as the tables do."""
    return _one(given.attribution, lang) or sources_of(sheet.content)


def _counted(bands: Bands | None, say: Mapping[str, str]) -> dict[str, str]:
    """What grids of several bands count, by the name of its column."""
    if bands is None or not bands.differ:
        return {}
    return {str(name): say.get("counted." + str(name), str(name)) for name in dict.fromkeys(bands.counted)}


def _leaflet_version() -> str:
    head = resources.files("js_lib_leaflet").joinpath("static/js_lib_leaflet/leaflet.js").read_text("utf-8")[:200]
    return head.split("Leaflet ", 1)[1].split(",", 1)[0] if "Leaflet " in head else "1.9"


def _default_title(sheet: Sheet) -> str:
    content = sheet.content
    grids, cover = "grids" in content.tables, content.cover is not None or "circles" in content.tables
    return (
        "title.default" if grids and cover else "title.grids" if grids else "title.cover" if cover else "title.default"
    )


def _named(kind: str) -> Any:
    def name(sheet: Sheet, lang: str) -> dict[str, Any]:
        return {"name": texts_in(sheet.content.tables[kind], "name", lang)}

    return name


def _building_names(sheet: Sheet, lang: str) -> dict[str, Any]:
    names = texts_in(sheet.content.tables["buildings"].iloc[sheet.building_order], "name", lang)
    return {"name": names} if any(names) else {}


def _street_names(sheet: Sheet, lang: str) -> dict[str, Any]:
    return {"name": coded(in_language(sheet.content.tables["streets"], "name", lang))}


def _facility_texts(sheet: Sheet, lang: str) -> dict[str, Any]:
    table = sheet.content.tables["facilities"]
    out: dict[str, Any] = {"name": texts_in(table, "name", lang)}
    for column in _FACILITY_TEXTS:
        own = in_language(table, column, lang)
        if own is not None and own.notna().any():
            out[column] = texts(own)
    return out


def _grid_names(sheet: Sheet, lang: str) -> dict[str, Any]:
    """Names of grids; the map shows that of their community anyway."""
    tables = sheet.content.tables
    compounds = None if sheet.content.plan is None else sheet.content.plan.compounds
    return {"name": short_names(tables["grids"], tables.get("communities"), lang, compounds)}


_NAMED = {
    "grids": _grid_names,
    "communities": _named("communities"),
    "compounds": _named("compounds"),
    "buildings": _building_names,
    "facilities": _facility_texts,
    "streets": _street_names,
}
