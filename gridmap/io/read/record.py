"""The record a reader keeps: where a table came from, what was taken, what was left out and why."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Reading"]

# attrs are copied with every frame derived from a table, so they hold examples, not whole lists.
_EXAMPLES = 20


@dataclass
class Reading:
    """Notes taken while one table is read; `as_dict` is what ends up in ``table.attrs["reading"]``."""

    source: str
    notes: dict[str, Any] = field(default_factory=dict)
    left_out: list[dict[str, Any]] = field(default_factory=list)
    #: Whether numbers came as text, as they do from sheets and labels.
    text_cells: bool = False

    def note(self, **notes: Any) -> None:
        """Keep facts that are worth knowing about the table, each under its name."""
        self.notes.update(notes)

    def note_of(self, kind: str, column: str, fact: Any) -> None:
        """Keep a fact about one column under a kind of facts."""
        self.notes.setdefault(kind, {})[column] = fact

    def leave_out(self, reason: str, ids: Iterable[object]) -> None:
        """Count rows that did not make it into the table; nothing is noted when there are none."""
        names = list(ids)
        if names:
            shown = [str(i) for i in names[:_EXAMPLES]]
            self.left_out.append({"reason": reason, "count": len(names), "ids": shown})

    def mended(self, what: str, ids: Iterable[object]) -> None:
        """Count rows that were changed to make them usable."""
        names = list(ids)
        if names:
            shown = [str(i) for i in names[:_EXAMPLES]]
            self.notes.setdefault("mended", []).append({"what": what, "count": len(names), "ids": shown})

    def as_dict(self, kept: int) -> dict[str, Any]:
        """The record as plain JSON-able data, for a table of `kept` rows."""
        missing = sum(entry["count"] for entry in self.left_out)
        return {
            "source": self.source,
            "rows_read": kept + missing,
            "rows_kept": kept,
            "left_out": self.left_out,
            **self.notes,
        }
