"""What a reader let through to be told: cells that say neither yes nor no, coordinates that are none, odd places."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gridmap.tables.findings import finding

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

__all__ = ["reading_findings"]


def reading_findings(tables: Mapping[str, pd.DataFrame]) -> list[dict[str, Any]]:
    """Findings on what the tables' records (``attrs["reading"]``) name, as rows for `findings_table`."""
    found = []
    for name, table in tables.items():
        reading = table.attrs.get("reading", {})
        if told := reading.get("neither_yes_nor_no"):
            cells = f"{told['count']:,} cells say neither yes nor no ({_some(told)})"
            message = f"{name}: {cells}. Gates were taken for shut, barriers for hard, facilities for not public."
            cure = "Write yes or no (是, 否), or leave the cell empty."
            found.append(finding("warning", "neither_yes_nor_no", message, cure=cure, **_where(name, told)))
        if told := reading.get("unreadable_coordinates"):
            message = f"{name}: {told['count']:,} coordinates cannot be read ({_some(told)}); these rows have no place."
            cure = "Correct the cells, as 116.305 or 116°18′18″, or leave the rows out."
            found.append(finding("error", "unreadable_coordinates", message, cure=cure, **_where(name, told)))
        if told := reading.get("crs_doubt"):
            cure = "If it is not meant to lie there, say what its coordinates are in, or exchange its axes."
            found.append(finding("warning", "crs_doubtful", f"{name}: {told}.", cure=cure, certificate={"table": name}))
    return found


def _some(told: Mapping[str, Any]) -> str:
    return "; ".join(told["cells"][:5]) + (" ..." if told["count"] > 5 else "")


def _where(name: str, told: Mapping[str, Any]) -> dict[str, Any]:
    return {"ids": told["rows"], "certificate": {"table": name, "cells": told["count"]}}
