"""A town of six grids for the tests of the map: every status, both languages, names that try to break the page."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from shapely import LineString, Point, Polygon, box

from gridmap.coverage.counting.cover import cover
from gridmap.division.plans.plan import GridPlan
from gridmap.tables.findings import finding, findings_table

CRS = 32650
WEST, SOUTH = 447_000.0, 4_417_000.0
HOUSEHOLDS = (412, 355, 612, 220, 0, 130)
STATUSES = ("legal", "legal", "above", "below", "empty", "dedicated")
NAMES = ("幸福一网格", "幸福二网格", "Third", "第四网格", "空地", "大学专属网格")
HOSTILE = (
    "</script><script>window.broken=1</script>",
    '"><img src=x onerror=window.broken=1>',
    "{{ 7 * 7 }}{% raw %}${window.broken=1}",
    "مركز صحي \u202e gnorw",
    "👩‍👩‍👧‍👦 🏥 emoji \u202ertl",
    "x" * 200,
    "\\u003c'\"`\u2028&amp;<!--",
    "社区卫生服务站",
)


def frame(columns: dict, shapes: list) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(columns, geometry=shapes, crs=CRS)


def at(x: float, y: float) -> tuple[float, float]:
    return WEST + x, SOUTH + y


def square(x: float, y: float, side: float) -> Polygon:
    return box(*at(x, y), *at(x + side, y + side))


def line(x: float, y: float, to_x: float, to_y: float) -> LineString:
    return LineString([at(x, y), at(to_x, to_y)])


def make_town(names: tuple[str, ...] = NAMES, facility_names: tuple[str, ...] = HOSTILE) -> dict:
    """Tables, plan, cover and circles: two communities of three grids, each 200 m wide, four buildings in each."""
    communities = frame(
        {
            "community_id": ["110101001001", "110101001002"],
            "name": ["幸福社区", "和平社区"],
            "name_en": ["Happiness", "Peace"],
            "kind": ["urban", "rural"],
        },
        [box(*at(0, 0), *at(600, 200)), box(*at(0, 200), *at(600, 400))],
    )
    corners = [(200 * (i % 3), 200 * (i // 3)) for i in range(6)]
    grids = frame(
        {
            "grid_id": [f"{'110101001001' if i < 3 else '110101001002'}{i % 3 + 1:03d}" for i in range(6)],
            "community_id": ["110101001001"] * 3 + ["110101001002"] * 3,
            "kind": ["basic"] * 5 + ["dedicated"],
            "name": list(names),
            "households": [float(h) for h in HOUSEHOLDS],
            "residents": [2.5 * h for h in HOUSEHOLDS],
            "buildings": [4] * 6,
            "area_m2": [40_000.0] * 6,
            "status": list(STATUSES),
        },
        [square(x, y, 200) for x, y in corners],
    )
    rows = [(i, x + 40 + 80 * (k % 2), y + 40 + 80 * (k // 2)) for i, (x, y) in enumerate(corners) for k in range(4)]
    shares = [HOUSEHOLDS[i] // 4 + (HOUSEHOLDS[i] % 4 if n % 4 == 0 else 0) for n, (i, _, _) in enumerate(rows)]
    buildings = frame(
        {
            "building_id": [f"b{n:03d}" for n in range(len(rows))],
            "households": np.array(shares, dtype=float),
            "use": ["residential"] * len(rows),
            "compound_id": ["c1" if i == 0 else None for i, _, _ in rows],
        },
        [square(x, y, 30) for _, x, y in rows],
    )
    assignment = pd.DataFrame(
        {
            "building_id": buildings["building_id"],
            "unit_id": None,
            "grid_id": [grids["grid_id"][i] for i, _, _ in rows],
            "area_id": None,
            "households": buildings["households"],
        }
    )
    findings = findings_table(
        [
            finding(
                "error", "household_band", "Grid 110101001001003 holds 612 households, 112 above 500.",
                status="above", cure="Split it into 2 of about 306; or accept 612, or make it a dedicated grid.",
                ids=["110101001001003"], certificate={"lower": 300, "upper": 500, "weight": 612},
                geometry=grids.geometry[2],
            ),
            finding("info", "rows_left_out", "buildings: 3 rows were left out: no geometry.", status="buildings"),
        ],
        crs=CRS,
    )  # fmt: skip
    compounds = frame({"compound_id": ["c1"], "name": ["幸福小区"], "households": [412]}, [square(20, 20, 150)])
    entrances = frame({"entrance_id": ["e1"], "of": ["compound"], "of_id": ["c1"]}, [Point(*at(170, 90))])
    streets = frame(
        {
            "street_id": ["s1", "s2", "s3"],
            "class": ["primary", "residential", "footway"],
            "name": ["长安街", "幸福路", None],
        },
        [line(-50, 200, 650, 200), line(200, 0, 200, 400), line(0, 100, 600, 100)],
    )
    barriers = frame(
        {"kind": ["river", "railway", "wall"], "hard": [True, True, False]},
        [box(*at(-50, 400), *at(650, 430)), line(-50, -20, 650, -20), line(610, 0, 610, 400)],
    )
    count = len(facility_names)
    facilities = frame(
        {
            "facility_id": [f"f{i}" for i in range(count)],
            "category": [("clinic", "kindergarten", "market", "菜鸟驿站")[i % 4] for i in range(count)],
            "name": list(facility_names),
            "phone": ["010-1234"] * count,
            "status": ["existing"] * (count - 1) + ["planned"],
        },
        [Point(*at(60 + 75 * i, 190 + 5 * (i % 3))) for i in range(count)],
    )
    plan = GridPlan(
        grids=grids, assignment=assignment, findings=findings, communities=communities, buildings=buildings,
        parameters={"lower": 300, "upper": 500}, streets=streets, compounds=compounds, barriers=barriers,
        entrances=entrances,
    )  # fmt: skip
    reach = cover(
        buildings, facilities, metres={"clinic": 120.0, "kindergarten": 200.0, "market": 90.0}, how="straight"
    )
    circles = frame(
        {
            "category": ["clinic"] * 3 + ["market"] * 3,
            "minutes": [5.0, 10.0, 15.0] * 2,
            "deviation": [0.01] * 6,
        },
        [Point(*at(x, 190)).buffer(r) for x in (60, 210) for r in (60, 120, 180)],
    )
    return {
        "plan": plan, "cover": reach, "circles": circles, "communities": communities, "grids": grids,
        "buildings": buildings, "compounds": compounds, "entrances": entrances, "streets": streets,
        "barriers": barriers, "facilities": facilities, "findings": findings,
    }  # fmt: skip


def make_city(buildings: int = 22_000, side: int = 18, categories: int = 10, seed: int = 0) -> tuple:
    """Plan, cover and circles of the size of a city: as many buildings on a raster of `side` x `side` grids."""
    random = np.random.default_rng(seed)
    width = 400.0
    corners = np.array([(width * i, width * j) for j in range(side) for i in range(side)])
    codes = [f"110101001001{i:03d}" for i in range(len(corners))]
    grids = frame(
        {"grid_id": codes, "community_id": "110101001001", "kind": "basic", "households": 400.0, "status": "legal"},
        [square(x, y, width) for x, y in corners],
    )
    communities = frame({"community_id": ["110101001001"], "name": ["一"]}, [square(0, 0, width * side)])
    owner = np.sort(random.integers(0, len(corners), buildings))
    corner = corners[owner] + random.uniform(0, width - 25, (buildings, 2))
    angle, radius = np.linspace(0, 2 * np.pi, 9)[:-1], random.uniform(5, 12, (buildings, 8))
    ring = corner[:, None] + 12 + np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=-1)
    homes = frame(
        {"building_id": [f"way/{100_000_000 + i}" for i in range(buildings)], "households": 5.0},
        list(shapely.polygons(ring + np.array([WEST, SOUTH]))),
    )
    assignment = pd.DataFrame(
        {"building_id": homes["building_id"], "unit_id": None, "grid_id": np.array(codes)[owner], "households": 5.0}
    )
    empty = findings_table([], crs=CRS)
    plan = GridPlan(
        grids=grids, assignment=assignment, findings=empty, communities=communities, buildings=homes,
        parameters={"lower": 300, "upper": 500},
    )  # fmt: skip
    names = [f"c{i}" for i in range(categories) for _ in range(40)]
    places = random.uniform(0, width * side, (len(names), 2))
    facilities = frame(
        {"facility_id": [f"node/{i}" for i in range(len(names))], "category": names},
        [Point(*at(x, y)) for x, y in places],
    )
    reach = cover(homes, facilities, minutes=15, how="straight")
    rows = [(c, m) for c in dict.fromkeys(names) for m in (5.0, 10.0, 15.0)]
    areas = [facilities.geometry[facilities["category"] == c].buffer(60 * m, 64).union_all() for c, m in rows]
    circles = frame({"category": [c for c, _ in rows], "minutes": [m for _, m in rows]}, areas)
    return plan, reach, circles
