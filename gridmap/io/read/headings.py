"""Headings: which column of a file is which column of a table, in English and Chinese.

Few and certain: what is not listed here is named by the user with ``columns=``. Registered (户籍), resident (常住) and
total (总户数) households and dwellings (套数) are different quantities: each heading stands for one column only, and
which heading ``households`` was taken from is recorded.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gridmap.errors import ReadError
from gridmap.tables.contracts import CONTRACTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["CERTAIN_IDS", "LATITUDE", "LONGITUDE", "WKT", "X", "Y", "id_candidates", "match_headings", "plain"]

LONGITUDE = ("lon", "lng", "long", "longitude", "经度")
LATITUDE = ("lat", "latitude", "纬度")
X = ("x", "xcoord", "easting", "x坐标", "东坐标")
Y = ("y", "ycoord", "northing", "y坐标", "北坐标")
WKT = ("geometry", "wkt", "geom", "thegeom", "wktgeom", "几何")

# In order of preference: 总户数 comes before 常住户数, and 户籍户数 is never households.
_ANY: dict[str, tuple[str, ...]] = {
    "building_id": ("building_id", "楼栋编号", "楼栋编码", "建筑编号", "楼栋"),
    "unit_id": ("unit_id", "单元编号", "单元"),
    "name": ("name", "名称"),
    "households": ("households", "户数", "总户数", "常住户数"),
    "residents": ("residents", "常住人口", "常住人口数"),
    "registered": ("registered", "户籍人口", "户籍人口数"),
    "dwellings": ("dwellings", "住宅套数", "套数"),
    "floors": ("floors", "levels", "building:levels", "层数", "楼层数", "地上层数"),
    "use": ("use", "用途", "建筑用途", "房屋用途"),
    "compound_id": ("compound_id", "小区编号", "院落编号"),
    "community_id": ("community_id", "社区编号", "社区编码"),
    "code": ("code", "社区代码", "统计用区划代码", "区划代码"),
    "subdistrict": ("subdistrict", "街道", "街道名称", "所属街道"),
    "district": ("district", "区", "区县", "所属区"),
    "address": ("address", "地址"),
    "phone": ("phone", "电话", "联系电话"),
    "opening_hours": ("opening_hours", "营业时间", "开放时间"),
    "category": ("category", "类别", "设施类别", "设施类型"),
    "oneway": ("oneway", "单行"),
    "class": ("class", "highway", "道路等级"),
    "speed_kmh": ("speed_kmh", "maxspeed"),
}
_OWN: dict[str, dict[str, tuple[str, ...]]] = {
    "communities": {"name": ("社区", "社区名称")},
    "buildings": {"name": ("楼栋名称", "建筑名称")},
    "compounds": {"compound_id": ("compound_id", "小区编号", "院落编号"), "name": ("小区名称", "院落名称")},
    "facilities": {"facility_id": ("facility_id", "设施编号", "设施编码"), "name": ("设施名称",)},
    "entrances": {"entrance_id": ("entrance_id", "出入口编号", "大门编号")},
    "streets": {"street_id": ("street_id", "道路编号"), "name": ("道路名称", "路名")},
    "barriers": {"barrier_id": ("barrier_id",)},
    "grids": {"grid_id": ("grid_id", "网格编号", "网格编码"), "name": ("网格名称",)},
}
CERTAIN_IDS = ("id", "编号", "编码")
_IDS = ("id", "fid", "ogc_fid", "objectid", "gid", "uid", "osm_id", "编号", "编码")


def plain(heading: object) -> str:
    """A heading without case, blanks, underscores and what is in brackets: ``"Floors (No.)"`` is ``"floors"``."""
    text = re.sub(r"[(（\[【].*?[)）\]】]", "", str(heading).casefold())
    return re.sub(r"[\s_\-.]+", "", text.lstrip("\ufeff"))


def id_candidates(headings: Iterable[object]) -> list[str]:
    """Headings that are clearly an id, the most certain first."""
    by_name = {plain(h): str(h) for h in reversed(list(headings))}
    return [by_name[plain(name)] for name in _IDS if plain(name) in by_name]


def match_headings(
    headings: Iterable[object], table: str, columns: Mapping[str, str] | None, source: str
) -> dict[str, str]:
    """Heading of each column of a table, as ``{our name: their heading}``.

    Parameters
    ----------
    headings
        The headings present.
    table
        Name of the table, for example ``"buildings"``.
    columns
        What the user said, ``{our name: their heading}``; it wins.
    source
        Named in messages.

    Raises
    ------
    ReadError
        When `columns` names a heading that is not there, or two of our columns by one heading.
    """
    present = [str(h) for h in headings]
    said = dict(columns or {})
    absent = {ours: theirs for ours, theirs in said.items() if theirs not in present}
    if absent:
        named = ", ".join(f"{theirs!r} for {ours}" for ours, theirs in absent.items())
        raise ReadError(
            f"{source}: columns= names {named}, but the headings present are: {', '.join(present) or 'none'}. "
            "Correct the name; it must be spelt as in the file."
        )
    matched = dict(said)
    taken = set(said.values())
    free: dict[str, list[str]] = {}
    for heading in present:
        free.setdefault(plain(heading), []).append(heading)
    for ours, names in _known(table).items():
        if ours in matched:
            continue
        if ours in present and ours not in taken:
            matched[ours] = ours
            taken.add(ours)
            continue
        choices = next((free[plain(n)] for n in names if set(free.get(plain(n), ())) - taken), [])
        if len(choices) > 1:
            raise ReadError(
                f"{source}: the headings {', '.join(map(repr, choices))} could all be {ours}. "
                f"Say which one: columns={{{ours!r}: {choices[0]!r}}}."
            )
        if choices:
            matched[ours] = choices[0]
            taken.add(choices[0])
    return matched


def _known(table: str) -> dict[str, tuple[str, ...]]:
    """Headings known for each column of a table: its own ones first."""
    contract = CONTRACTS[table]
    own = _OWN.get(table, {})
    names = [c.name for c in contract.columns] + [n for n in own if n not in {c.name for c in contract.columns}]
    # 编号 alone is an id, so `id_candidates` has it; a foreign key such as community_id is only taken where it belongs
    return {n: (n, *own.get(n, ()), *_ANY.get(n, ())) for n in names}
