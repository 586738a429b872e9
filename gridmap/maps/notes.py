"""Notes: what the tables of a page say of themselves, for a map and for a report alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gridmap.maps.columns import sequence
from gridmap.maps.facts import is_estimated

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gridmap.maps.layers import Content

__all__ = ["own_notes", "sources_of", "standing_notes"]


def standing_notes(content: Content, words: Mapping[str, str]) -> list[str]:
    """Whether the data is made up, and whether household numbers are estimates, in the words of a language."""
    synthetic = any(table.attrs.get("synthetic") for table in _tables(content))
    said = (("note.synthetic", synthetic), ("note.estimated", is_estimated(content)))
    return [words[key] for key, holds in said if holds]


def own_notes(content: Content) -> list[str]:
    """The notes in ``attrs["notes"]`` of the tables."""
    return [str(note) for t in _tables(content) for note in sequence(t.attrs.get("notes") or t.attrs.get("note"))]


def sources_of(content: Content) -> str:
    """Where the data comes from, by ``attrs["attribution"]`` or ``attrs["licence"]`` of the tables, each once."""
    named = [sequence(t.attrs.get("attribution") or t.attrs.get("licence")) for t in _tables(content)]
    return "; ".join(dict.fromkeys(str(source) for of in named for source in of))


def _tables(content: Content) -> list[Any]:
    return [*content.tables.values(), *(table for _, table in content.own)]
