"""Uses of buildings: who lives in what, how high it is and how large its homes are, as far as a word tells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    import geopandas as gpd
    from numpy.typing import NDArray

__all__ = ["BY_USE", "NON_RESIDENTIAL", "is_listed", "is_non_residential", "number_by_use", "uses_of"]

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


def uses_of(buildings: gpd.GeoDataFrame) -> NDArray[Any]:
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


def is_non_residential(buildings: gpd.GeoDataFrame, words: Collection[str] | None = None) -> NDArray[np.bool_]:
    """Whether the use of each building is one in which nobody is taken to live: `words`, else `NON_RESIDENTIAL`."""
    return _matches(uses_of(buildings), NON_RESIDENTIAL if words is None else words)


def number_by_use(
    uses: NDArray[Any], table: Mapping[str, Mapping[str, float]], key: str, default: float
) -> NDArray[np.float64]:
    """A number by use, found by the whole use or, for Chinese words, by one that stands in it."""
    unique, where = np.unique(uses.astype(str), return_inverse=True)
    values = [float(table.get(_word(use, table), {}).get(key, default)) for use in unique.tolist()]
    return np.asarray(np.array(values, dtype=np.float64)[where])


def is_listed(uses: NDArray[Any], table: Mapping[str, Mapping[str, float]]) -> NDArray[np.bool_]:
    """Whether a use is known to a table of numbers by use."""
    unique, where = np.unique(uses.astype(str), return_inverse=True)
    return np.asarray(np.array([_word(use, table) != "" for use in unique.tolist()], dtype=bool)[where])


def _word(use: str, table: Mapping[str, Mapping[str, float]]) -> str:
    return use if use in table else next((w for w in table if not w.isascii() and w in use), "")
