"""Facility categories: their names for people, and the OpenStreetMap tags that stand for each (categories.csv)."""

from __future__ import annotations

import csv
from functools import cache
from importlib import resources
from typing import NamedTuple

__all__ = ["Category", "facility_categories"]


class Category(NamedTuple):
    """A facility category: its key and its names for people."""

    category: str
    name_en: str
    name_zh: str


@cache
def facility_categories() -> tuple[dict[str, Category], dict[tuple[str, str], str]]:
    """The categories of categories.csv by key, and the category of each OpenStreetMap (key, value), in file order."""
    text = resources.files("gridmap.tables").joinpath("categories.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    categories = {r["category"]: Category(r["category"], r["name_en"], r["name_zh"]) for r in rows}
    return categories, {(r["osm_key"], r["osm_value"]): r["category"] for r in rows}
