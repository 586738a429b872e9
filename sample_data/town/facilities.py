"""Facilities: what the town has, where, and what it lacks. The gaps are meant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import shapely

if TYPE_CHECKING:
    from town import plan

_DAY, _SHOP, _ALWAYS, _OFFICE = "Mo-Su 08:00-18:00", "Mo-Su 08:00-21:30", "24/7", "Mo-Fr 09:00-17:30"


@dataclass(frozen=True)
class Facility:
    """One facility: `near` is where it is sought a house for; `house` false puts it on the spot."""

    category: str
    name: str
    name_en: str
    near: plan.Point
    capacity: int = 0
    area: int = 0
    hours: str = _DAY
    public: bool = True
    status: str = "existing"
    house: bool = True


def _f(
    category: str, name: str, name_en: str, x: float, y: float, capacity: int = 0, area: int = 0, **more: Any
) -> Facility:
    return Facility(category, name, name_en, (x, y), capacity, area, **more)


FACILITIES = [
    # services of the communities
    _f("community_centre", "锦华社区党群服务中心", "Jinhua Community Centre", 1045, 1085, 0, 1450, hours=_OFFICE),
    _f("community_centre", "和平里社区党群服务中心", "Hepingli Community Centre", 520, 985, 0, 420, hours=_OFFICE),
    _f("community_centre", "安居社区党群服务中心", "Anju Community Centre", 700, 618, 0, 980, hours=_OFFICE),
    _f("community_centre", "学府社区党群服务中心", "Xuefu Community Centre", 338, 1085, 0, 640, hours=_OFFICE),
    _f("community_centre", "柳溪村党群服务中心", "Liuxi Village Centre", 1215, 45, 0, 520, hours=_OFFICE),
    # the old: one place, nothing in the old quarter and nothing south of the river
    _f("elderly_care", "锦华日间照料中心", "Jinhua Day Care for the Elderly", 1096, 1250, 40, 460),
    _f("elderly_care", "和平里养老服务站（规划）", "Hepingli Elderly Service Station (planned)",
       415, 985, 18, 210, status="planned"),
    _f("elderly_care", "安居综合养老服务中心（规划）", "Anju Elderly Service Centre (planned)",
       700, 590, 60, 900, status="planned"),
    # meals: none in the old quarter, none in the village
    _f("restaurant", "锦华社区食堂", "Jinhua Community Canteen", 960, 1000, 120, 380, hours="Mo-Su 06:30-19:00"),
    _f("restaurant", "学府社区食堂", "Xuefu Community Canteen", 590, 1330, 90, 260, hours="Mo-Su 06:30-19:00"),
    _f("restaurant", "安居社区食堂", "Anju Community Canteen", 790, 615, 80, 240, hours="Mo-Su 06:30-19:00"),
    # health
    _f("clinic", "金河街道社区卫生服务中心", "Jinhe Subdistrict Health Centre", 625, 1075, 60, 2600),
    _f("clinic", "安居社区卫生服务站", "Anju Health Station", 940, 605, 8, 240),
    _f("clinic", "柳溪村卫生室", "Liuxi Village Clinic", 1130, 80, 3, 90),
    _f("pharmacy", "康民大药房", "Kangmin Pharmacy", 720, 1005, 0, 120, hours=_SHOP),
    _f("pharmacy", "人民路大药房", "Renmin Road Pharmacy", 1096, 1040, 0, 140, hours=_SHOP),
    _f("pharmacy", "老街药铺", "Old Street Pharmacy", 560, 990, 0, 60, hours=_SHOP),
    _f("pharmacy", "文昌药房", "Wenchang Pharmacy", 336, 1060, 0, 90, hours=_SHOP),
    _f("pharmacy", "安居药房", "Anju Pharmacy", 640, 590, 0, 100, hours=_SHOP),
    # shops
    _f("supermarket", "惠家超市市场街店", "Huijia Supermarket, Market Street",
       880, 970, 0, 1800, hours=_SHOP),
    _f("supermarket", "惠家超市北苑店", "Huijia Supermarket, Beiyuan", 760, 1302, 0, 900, hours=_SHOP),
    _f("supermarket", "学府生活超市", "Xuefu Supermarket", 590, 1250, 0, 700, hours=_SHOP),
    _f("supermarket", "安居生鲜超市", "Anju Fresh Supermarket", 730, 625, 0, 650, hours=_SHOP),
    _f("convenience", "便利客东环店", "Bianlike Store, East Ring", 1250, 1000, 0, 60, hours=_ALWAYS),
    _f("convenience", "便利客纺织店", "Bianlike Store, Textile Village",
       1096, 1230, 0, 70, hours=_ALWAYS),
    _f("convenience", "柳溪小卖部", "Liuxi Village Shop", 1165, 75, 0, 45, hours=_DAY),
    _f("convenience", "柳溪东便民店", "Liuxi East Shop", 1600, 430, 0, 40, hours=_DAY),
    _f("convenience", "老街便民店", "Old Street Corner Shop", 450, 1008, 0, 30, hours=_SHOP),
    _f("market", "市场街生鲜市场", "Market Street Fresh Market",
       1170, 1000, 84, 1300, hours="Mo-Su 06:00-19:00"),
    # money and post: none south of the railway
    _f("bank", "金河农商银行市场街支行", "Jinhe Rural Bank, Market Street",
       640, 975, 0, 320, hours=_OFFICE),
    _f("bank", "金河农商银行安居支行", "Jinhe Rural Bank, Anju", 870, 610, 0, 220, hours=_OFFICE),
    _f("post", "金河邮政支局", "Jinhe Post Office", 1048, 1110, 0, 400, hours=_DAY),
    _f("parcel_locker", "北苑快递驿站", "Beiyuan Parcel Station", 690, 1308, 0, 60, hours=_SHOP),
    _f("parcel_locker", "和平里快递驿站", "Hepingli Parcel Station", 583, 1030, 0, 40, hours=_SHOP),
    _f("parcel_locker", "安居快递驿站", "Anju Parcel Station", 680, 595, 0, 80, hours=_SHOP),
    # culture and sport
    _f("library", "金河街道图书馆", "Jinhe Subdistrict Library", 625, 1040, 160, 1100, hours="Tu-Su 09:00-20:00"),
    _f("culture", "和平里文化礼堂", "Hepingli Culture Hall", 380, 1002, 120, 300),
    _f("playground", "锦绣公园儿童乐园", "Jinxiu Park Playground", 1010, 1185, 0, 450, hours=_ALWAYS, house=False),
    _f("playground", "安居公园儿童乐园", "Anju Park Playground", 655, 530, 0, 300, hours=_ALWAYS, house=False),
    _f("sports", "柳溪健身点", "Liuxi Fitness Point", 1222, 78, 0, 260, hours=_ALWAYS, house=False),
    # toilets
    _f("toilets", "老街公厕", "Old Street Toilet", 470, 1003, 8, 50, hours=_ALWAYS),
    _f("toilets", "和平巷公厕", "Heping Lane Toilet", 420, 935, 6, 40, hours=_ALWAYS),
    _f("toilets", "锦绣公园公厕", "Jinxiu Park Toilet", 1002, 1225, 10, 70, hours=_ALWAYS, house=False),
    _f("toilets", "人民广场公厕", "Renmin Square Toilet", 985, 1100, 10, 70, hours=_ALWAYS, house=False),
    _f("toilets", "安居公园公厕", "Anju Park Toilet", 640, 560, 8, 60, hours=_ALWAYS, house=False),
    # on the table: a planned kindergarten, and sites that siting may choose from
    _f("kindergarten", "柳溪幼儿园（规划）", "Liuxi Kindergarten (planned)",
       1262, 60, 90, 1500, status="planned", house=False),
    _f("elderly_care", "柳溪互助养老点（候选）", "Liuxi Mutual Care Point (candidate)",
       930, 160, 20, 180, status="candidate"),
    _f("restaurant", "和平里老年食堂（候选）", "Hepingli Canteen (candidate)", 500, 985, 60, 150, status="candidate"),
    _f("restaurant", "柳溪村食堂（候选）", "Liuxi Canteen (candidate)", 1200, 30, 60, 160, status="candidate"),
    _f("elderly_care", "安平苑养老站（候选）", "Anping Care Station (candidate)",
       800, 595, 30, 240, status="candidate"),
]  # fmt: skip

_BUS = [("和平路", 1000), ("和平路", 1290), ("人民路", 1000), ("人民路", 1290), ("金河路", 700), ("金河路", 1190),
        ("金河路", 200), ("安康街", 740), ("和平路", 660), ("人民路", 650), ("柳溪路", 150)]  # fmt: skip
_GROUND_SIZE = {  # capacity and floor area by m² of ground
    "kindergarten": (0.075, 0.62), "school": (0.09, 0.75), "park": (0, 0), "sports": (0.02, 0.0), "market": (0, 0.9),
}  # fmt: skip


def table(grounds: list[dict[str, Any]], buildings: gpd.GeoDataFrame, streets: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """The facilities table: grounds as polygons, the rest as points in houses, at stops, or on the spot."""
    rows: list[dict[str, Any]] = [_of_ground(g) for g in grounds]
    homes = buildings[buildings.compound_id.isna() & buildings["use"].isin(["mixed", "residential"])]
    free = np.ones(len(homes), dtype=bool)
    for f in FACILITIES:
        point, address, address_en = shapely.Point(f.near), "", ""
        if f.house:
            order = np.argsort(homes.geometry.distance(point).to_numpy(), kind="stable")
            row = int(next(i for i in order if free[i]))
            free[row] = False
            home = homes.iloc[row]
            point, address, address_en = shapely.point_on_surface(home.geometry), home["name"], home["name_en"]
        rows.append(
            {"category": f.category, "name": f.name, "name_en": f.name_en, "capacity": f.capacity or None,
             "floor_area_m2": f.area or None, "public": f.public, "opening_hours": f.hours, "status": f.status,
             "address": address, "address_en": address_en, "geometry": point}
        )  # fmt: skip
    rows += [_stop(name, at, streets) for name, at in _BUS]
    out = gpd.GeoDataFrame(rows, geometry="geometry")
    out.insert(0, "facility_id", [f"F{i:03d}" for i in range(1, len(out) + 1)])
    # 000 is no area code: nobody can be called
    out["phone"] = [f"000-5550{i:04d}" if c not in ("bus_stop", "park", "toilets", "playground") else None
                    for i, c in enumerate(out["category"], start=1)]  # fmt: skip
    return out


def _of_ground(ground: dict[str, Any]) -> dict[str, Any]:
    area = shapely.area(ground["geometry"])
    seats, floor = _GROUND_SIZE[ground["category"]]
    open_all_day = ground["category"] in ("park", "sports")
    return {
        "key": ground["key"], "category": ground["category"], "name": ground["name"], "name_en": ground["name_en"],
        "capacity": ground.get("shops") or (round(area * seats / 10) * 10 or None),
        "floor_area_m2": round(area * floor / 10) * 10 or None, "public": True,
        "opening_hours": _ALWAYS if open_all_day else "Mo-Fr 07:30-17:30" if ground["category"] != "market" else _SHOP,
        "status": "existing", "shops": ground.get("shops"), "geometry": ground["geometry"],
    }  # fmt: skip


def _stop(name: str, at: float, streets: gpd.GeoDataFrame) -> dict[str, Any]:
    """A bus stop beside a street, where it passes the given x or y."""
    lines = streets[streets["name"] == name].geometry.to_numpy()
    coordinates = np.vstack([shapely.get_coordinates(shapely.segmentize(line, 5.0)) for line in lines])
    axis = int(np.ptp(coordinates[:, 1]) > np.ptp(coordinates[:, 0]))
    x, y = coordinates[np.argmin(np.abs(coordinates[:, axis] - at))]
    name_en = streets.loc[streets["name"] == name, "name_en"].iloc[0]
    return {
        "category": "bus_stop", "name": f"{name}公交站", "name_en": f"{name_en} Bus Stop", "public": True,
        "status": "existing", "opening_hours": "Mo-Su 06:00-22:00", "geometry": shapely.Point(x + 8, y - 8),
    }  # fmt: skip
