"""Household estimates, for cities without counts: footprint × floors ÷ floor area per household, by building use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gridmap.errors import OptionError
from gridmap.tables.contracts import check_table
from gridmap.tables.crs import to_metric

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    import geopandas as gpd
    from numpy.typing import NDArray

__all__ = ["BY_USE", "NON_RESIDENTIAL", "estimate_households", "is_non_residential"]

#: Uses that differ from the defaults, as ``{use: {"floors": ..., "floor_area": ...}}``. Assumptions, no standard.
BY_USE: Mapping[str, Mapping[str, float]] = {
    "apartments": {"floors": 6.0},
    "residential": {"floors": 4.0},
    "house": {"floors": 2.0, "floor_area": 150.0},
    "detached": {"floors": 2.0, "floor_area": 180.0},
    "semidetached_house": {"floors": 2.0, "floor_area": 140.0},
    "terrace": {"floors": 2.0, "floor_area": 130.0},
    "bungalow": {"floors": 1.0, "floor_area": 100.0},
    "cabin": {"floors": 1.0, "floor_area": 60.0},
    "farm": {"floors": 2.0, "floor_area": 200.0},
    "dormitory": {"floors": 5.0, "floor_area": 40.0},
    "住宅": {"floors": 6.0},
    "公寓": {"floors": 6.0, "floor_area": 60.0},
    "别墅": {"floors": 2.0, "floor_area": 250.0},
    "平房": {"floors": 1.0, "floor_area": 60.0},
    "宿舍": {"floors": 5.0, "floor_area": 40.0},
}

#: Uses in which nobody is taken to live: values of OpenStreetMap's ``building``, ``amenity`` and the like, and Chinese
#: words, which count wherever they stand in a use. A use with 住 or 宅 in it, such as 商住, is lived in.
NON_RESIDENTIAL: frozenset[str] = frozenset(
    """
    commercial retail shop kiosk supermarket mall office industrial warehouse factory manufacture works hangar depot
    hotel motel hostel guest_house restaurant cafe bar pub nightclub fast_food food_court fuel car_wash car_rental
    charging_station school kindergarten college university childcare hospital clinic doctors dentist pharmacy
    healthcare laboratory veterinary nursing_home social_facility social_centre civic public public_building government
    townhall courthouse police fire_station prison military embassy customs bank post_office post_depot marketplace
    library museum arts_centre theatre cinema events_venue conference_centre exhibition_centre community_centre
    place_of_worship church cathedral chapel mosque temple synagogue shrine religious monastery convent hall
    sports_centre sports_hall stadium grandstand pavilion riding_hall swimming_pool fitness_centre ice_rink gym
    parking garage garages carport shed hut roof canopy shelter toilets toilet service transformer_tower substation
    power plant generator storage_tank silo water_tower tower reservoir_covered pumping_station water_works
    wastewater_plant man_made chimney gasometer bunker digester barn stable sty cowshed farm_auxiliary greenhouse
    allotment_house slurry_tank train_station transportation bus_station ferry_terminal terminal station platform
    airport bridge gatehouse guardhouse toll_booth entrance ruins collapsed abandoned construction demolished
    attraction information viewpoint zoo theme_park castle monument memorial pagoda triumphal_arch ship tent recycling
    crematorium funeral_hall mortuary columbarium tomb grave_yard research_institute training music_school
    driving_school language_school bicycle_parking waste_disposal data_center container boathouse lighthouse
    商业 商铺 商场 超市 酒店 宾馆 餐饮 办公 写字楼 工业 厂房 仓库 物流 学校 教育 教学 幼儿园 医院 医疗 卫生 养老院
    文化 体育 政府 行政 宗教 寺庙 交通 车站 车库 停车 市政 配电 变电 泵房 公厕 垃圾 岗亭 在建 废弃
    """.split()  # noqa: SIM905 - a list of 200 literals reads worse
)

_NO_USE = ("", "yes", "true", "nan", "none", "unknown", "未知", "其他")


def estimate_households(
    buildings: gpd.GeoDataFrame,
    *,
    floor_area_per_household: float = 110.0,
    default_floors: float = 3.0,
    by_use: Mapping[str, Mapping[str, float]] | None = None,
    non_residential: Collection[str] | None = None,
    households_per_dwelling: float = 1.0,
    households_per_floor: float = 2.0,
    minimum_footprint: float = 25.0,
    overwrite: bool = False,
) -> gpd.GeoDataFrame:
    """Give every building households: those it has, or an estimate, with a column that says which.

    A row without households gets, in this order: 0 where its use is not residential; dwellings × households per
    dwelling where dwellings are known; 0 for footprints below the minimum; else footprint × floors ÷ floor area per
    household, rounded, at least 1. A point without dwellings gets floors × households per floor where floors are known.

    Parameters
    ----------
    buildings
        Points or polygons; columns use, floors, dwellings and households are used where present.
    floor_area_per_household
        Gross floor area per household in m², where `by_use` says nothing else.
    default_floors
        Floors of a building whose floors are unknown, where `by_use` says nothing else.
    by_use
        ``{use: {"floors": ..., "floor_area": ...}}``, added to, and before, `BY_USE`.
    non_residential
        Uses with 0 households, in place of `NON_RESIDENTIAL`.
    households_per_dwelling, households_per_floor
        For rows with dwellings, and for points with floors.
    minimum_footprint
        m²; smaller footprints are sheds and the like, with 0 households.
    overwrite
        Estimate every row, also those that have households.

    Returns
    -------
    GeoDataFrame
        A copy with `households` filled and `households_estimated` (true or false). ``attrs["assumptions"]`` holds
        every number used, how many rows each rule gave, uses that were not recognised (they count as residential), and
        the points that nothing was known of (0 households).

    Raises
    ------
    OptionError
        When an argument is not a positive number, or `by_use` has an unknown key.
    TableError
        When the buildings break their contract, for example by negative households.

    Notes
    -----
    All defaults are assumptions of this library, made to be overruled by local knowledge; none is a standard. Results
    that rest on them must say so.

    Examples
    --------
    >>> import geopandas as gpd
    >>> from shapely import box
    >>> houses = gpd.GeoDataFrame(
    ...     {"building_id": ["a", "b", "c"], "use": ["apartments", "school", None], "households": [None, None, 7]},
    ...     geometry=[box(0, 0, 50, 11), box(0, 20, 50, 30), box(0, 40, 50, 50)], crs=32650,
    ... )
    >>> estimate_households(houses)[["households", "households_estimated"]].values.tolist()
    [[30.0, True], [0.0, True], [7.0, False]]
    """
    numbers = {
        "floor_area_per_household": floor_area_per_household,
        "default_floors": default_floors,
        "households_per_dwelling": households_per_dwelling,
        "households_per_floor": households_per_floor,
        "minimum_footprint": minimum_footprint,
    }
    table = {**BY_USE, **(by_use or {})}
    _check_numbers(numbers, table)
    out = check_table(buildings, "buildings", allow_empty=True)
    uses = _uses(out)
    living = ~is_non_residential(out, non_residential)
    floor_area = _of_use(uses, table, "floor_area", floor_area_per_household)
    floors = _numbers(out, "floors")
    floors = np.where(floors > 0, floors, np.nan)
    stacked = np.where(np.isfinite(floors), floors, _of_use(uses, table, "floors", default_floors))
    dwellings = _numbers(out, "dwellings")
    polygon = np.isin(out.geom_type.to_numpy(), ("Polygon", "MultiPolygon"))
    area = to_metric(out).area.to_numpy() if len(out) else np.zeros(0)

    rules = [
        ("non_residential", ~living, np.zeros(len(out))),
        ("dwellings", np.isfinite(dwellings), dwellings * households_per_dwelling),
        ("small_footprint", polygon & (area < minimum_footprint), np.zeros(len(out))),
        ("floor_area", polygon, np.maximum(area * stacked / floor_area, 1.0)),
        ("floors_of_a_point", np.isfinite(floors), floors * households_per_floor),
        ("unknown_point", np.ones(len(out), dtype=bool), np.zeros(len(out))),
    ]
    names = np.select([mask for _, mask, _ in rules], [name for name, *_ in rules], "")
    estimate = np.floor(np.select([mask for _, mask, _ in rules], [value for *_, value in rules], 0.0) + 0.5)

    known = np.full(len(out), fill_value=False) if overwrite else np.isfinite(_numbers(out, "households"))
    out["households"] = np.where(known, _numbers(out, "households"), estimate)
    out["households_estimated"] = ~known
    lost = ~known & (names == "unknown_point")
    odd = ~known & living & (uses != "") & ~_listed(uses, table)
    out.attrs = dict(buildings.attrs)
    out.attrs["assumptions"] = {
        **numbers,
        "by_use": {use: dict(values) for use, values in table.items()},
        "rows": {name: int((~known & (names == name)).sum()) for name, *_ in rules},
        "kept": int(known.sum()),
        "estimated": int((~known).sum()),
        "estimated_households": float(estimate[~known].sum()),
        "unrecognised_uses": {str(u): int(n) for u, n in pd.Series(uses[odd]).value_counts().head(20).items()},
        "unknown_points": {"count": int(lost.sum()), "ids": out["building_id"][lost].head(20).tolist()},
    }
    return out


def is_non_residential(buildings: gpd.GeoDataFrame, words: Collection[str] | None = None) -> NDArray[np.bool_]:
    """Whether the use of each building is one in which nobody is taken to live: `words`, else `NON_RESIDENTIAL`."""
    return _matches(_uses(buildings), NON_RESIDENTIAL if words is None else frozenset(words))


def _check_numbers(numbers: Mapping[str, float], table: Mapping[str, Mapping[str, float]]) -> None:
    for name, value in numbers.items():
        if not (np.isfinite(value) and (value > 0 or (value == 0 and name == "minimum_footprint"))):
            raise OptionError(f"{name}={value!r}: give a positive number")
    for use, values in table.items():
        unknown = sorted(set(values) - {"floors", "floor_area"})
        if unknown:
            raise OptionError(f"by_use[{use!r}] has unknown keys {', '.join(unknown)}; known are floors, floor_area")
        wrong = [key for key, value in values.items() if not (np.isfinite(value) and value > 0)]
        if wrong:
            raise OptionError(f"by_use[{use!r}][{wrong[0]!r}]={values[wrong[0]]!r}: give a positive number")


def _uses(buildings: gpd.GeoDataFrame) -> NDArray[Any]:
    """The first of the uses of each building, in lower case; empty where nothing is said."""
    if "use" not in buildings.columns:
        return np.full(len(buildings), "", dtype=object)
    text = buildings["use"].astype(object).where(buildings["use"].notna(), "").astype(str)
    text = text.str.split(";").str[0].str.strip().str.lower()
    return np.asarray(text.where(~text.isin(_NO_USE), "").to_numpy(dtype=object))


def _matches(uses: NDArray[Any], words: Collection[str]) -> NDArray[np.bool_]:
    """Whether a use is one of the words or, for Chinese words, has one in it and nothing that says one lives there."""
    words = frozenset(words)
    chinese = [w for w in words if not w.isascii()]
    unique, where = np.unique(uses.astype(str), return_inverse=True)
    hit = [
        use in words or (any(w in use for w in chinese) and not any(w in use for w in "住宅"))
        for use in unique.tolist()
    ]
    return np.asarray(np.array(hit, dtype=bool)[where])


def _of_use(
    uses: NDArray[Any], table: Mapping[str, Mapping[str, float]], key: str, default: float
) -> NDArray[np.float64]:
    """A number by use, found by the whole use or, for Chinese words, by one that stands in it."""
    unique, where = np.unique(uses.astype(str), return_inverse=True)
    values = [float(table.get(_word(use, table), {}).get(key, default)) for use in unique.tolist()]
    return np.asarray(np.array(values, dtype=np.float64)[where])


def _listed(uses: NDArray[Any], table: Mapping[str, Mapping[str, float]]) -> NDArray[np.bool_]:
    unique, where = np.unique(uses.astype(str), return_inverse=True)
    return np.asarray(np.array([_word(use, table) != "" for use in unique.tolist()], dtype=bool)[where])


def _word(use: str, table: Mapping[str, Mapping[str, float]]) -> str:
    return use if use in table else next((w for w in table if not w.isascii() and w in use), "")


def _numbers(buildings: gpd.GeoDataFrame, name: str) -> NDArray[np.float64]:
    if name not in buildings.columns:
        return np.full(len(buildings), np.nan)
    numbers = pd.to_numeric(buildings[name], errors="coerce")
    return np.asarray(numbers.to_numpy(dtype=np.float64, na_value=np.nan))
