"""The drawn plan: centre lines, borders, lanes and what stands on each block, in metres from a local origin."""

from __future__ import annotations

from dataclasses import dataclass

Point = tuple[float, float]
Points = list[Point]

CRS = "EPSG:4547"
#: Where the local origin lies in `CRS`. An empty hillside was chosen: the town exists nowhere.
ORIGIN = (516_400.0, 3_052_600.0)
SEED = 20_240_601

RIVER_HALF_WIDTH = 18.0
RIVER: Points = [
    (-60, 786), (150, 818), (330, 858), (520, 850), (700, 806), (900, 770), (1100, 760), (1300, 776), (1500, 795),
    (1720, 788), (1950, 752), (2150, 735), (2330, 748),
]  # fmt: skip
RAILWAY: Points = [
    (1446, 1570), (1418, 1420), (1402, 1220), (1398, 1000), (1390, 800), (1362, 640), (1298, 512), (1190, 428),
    (1040, 376), (860, 350), (660, 341), (470, 350), (290, 372),
]  # fmt: skip


@dataclass(frozen=True)
class Street:
    """One drawn line: `points` are joined by a smooth curve unless `straight`."""

    name: str
    name_en: str
    kind: str
    points: Points
    straight: bool = False
    lanes: int = 2


#: Half of the right of way by class: what stays free of buildings and walls on each side of the centre line.
HALF_WIDTH = {
    "primary": 17.0, "secondary": 13.0, "tertiary": 10.0, "residential": 6.0, "living_street": 3.6,
    "service": 3.0, "track": 2.0, "village": 2.4, "footway": 1.6, "steps": 1.6, "lane": 1.5,
}  # fmt: skip

STREETS = [
    # across
    Street("北环路", "Beihuan Road", "secondary",
           [(20, 1426), (240, 1416), (440, 1421), (612, 1440), (846, 1402), (1080, 1414), (1296, 1442), (1405, 1453)],
           lanes=4),
    Street("锦绣街", "Jinxiu Street", "residential",
           [(585, 1286), (720, 1294), (852, 1268), (960, 1264), (1100, 1284)]),
    Street("金河路", "Jinhe Road", "primary",
           [(22, 1133), (180, 1125), (320, 1135), (460, 1141), (600, 1137), (850, 1127), (1072, 1141), (1310, 1128)],
           lanes=6),
    Street("市场街", "Market Street", "tertiary",
           [(596, 988), (720, 993), (840, 983), (960, 977), (1068, 984), (1180, 976), (1294, 986)]),
    Street("安居街", "Anju Street", "residential",
           [(466, 616), (594, 604), (720, 612), (832, 602), (950, 590), (1066, 596), (1190, 610), (1268, 600)]),
    Street("安康街", "Ankang Street", "tertiary",
           [(455, 474), (600, 470), (832, 482), (1052, 492), (1130, 502), (1240, 520)]),
    # up and down
    Street("学府路", "Xuefu Road", "secondary", [(63, 833), (54, 980), (40, 1130), (32, 1290), (36, 1432)], lanes=4),
    Street("文昌街", "Wenchang Street", "tertiary", [(357, 887), (352, 950), (342, 1040), (339, 1150)]),
    Street("校东路", "Xiaodong Road", "residential", [(438, 1136), (447, 1280), (441, 1426)]),
    Street("和平路", "Heping Road", "secondary",
           [(614, 1446), (605, 1300), (599, 1140), (604, 1000), (598, 850), (590, 770), (588, 640), (598, 500),
            (606, 440)], lanes=4),
    Street("锦华路", "Jinhua Road", "tertiary", [(838, 800), (832, 960), (848, 1130), (852, 1280), (845, 1408)]),
    Street("人民路", "Renmin Road", "primary",
           [(1078, 1420), (1083, 1290), (1072, 1140), (1066, 980), (1071, 800), (1076, 720), (1066, 600), (1052, 480),
            (1040, 376), (1034, 300), (1046, 200)], lanes=6),
    Street("东环路", "Donghuan Road", "tertiary",
           [(1296, 1448), (1302, 1290), (1308, 1130), (1290, 980), (1284, 790)]),
    Street("安居西路", "Anju West Road", "residential", [(476, 830), (468, 640), (470, 500), (466, 440)]),
    Street("安平路", "Anping Road", "residential", [(838, 757), (832, 602), (832, 450)]),
    Street("安东路", "Andong Road", "residential", [(1300, 758), (1286, 690), (1240, 600), (1216, 508)]),
    # minor streets that cut blocks
    Street("锦江巷", "Jinjiang Alley", "residential", [(724, 1118), (716, 1210), (722, 1304)]),
    Street("锦文路", "Jinwen Road", "residential", [(956, 1118), (964, 1200), (958, 1276)]),
    Street("纺织路", "Fangzhi Road", "residential", [(1076, 1296), (1180, 1288), (1308, 1300)]),
    Street("书院街", "Shuyuan Street", "residential", [(195, 849), (190, 960), (184, 1134)]),
    Street("新风街", "Xinfeng Street", "residential", [(46, 984), (120, 992), (190, 986), (390, 994)]),
    # the village
    Street("柳溪路", "Liuxi Road", "tertiary",
           [(1046, 200), (1092, 112), (1180, 44), (1300, 12), (1440, 6), (1600, -22), (1700, -60)]),
    Street("柳溪东路", "Liuxi East Road", "residential",
           [(1300, 12), (1404, 130), (1510, 260), (1590, 400), (1660, 540), (1700, 660), (1712, 742)]),
    Street("柳溪西路", "Liuxi West Road", "residential",
           [(1046, 200), (930, 172), (800, 184), (660, 168), (520, 190), (450, 214)]),
    Street("柳溪南路", "Liuxi South Road", "residential", [(1180, 44), (1196, -60), (1160, -170), (1170, -222)]),
]  # fmt: skip

#: Footpaths, field tracks and steps; they bound no block of the town.
PATHS = [
    Street("机耕道", "Field Track", "track", [(1700, 660), (1860, 610), (2010, 640)]),
    Street("机耕道", "Field Track", "track", [(1590, 400), (1760, 372), (1920, 400), (2060, 372)]),
    Street("机耕道", "Field Track", "track", [(1510, 260), (1700, 210), (1890, 226), (2040, 160)]),
    Street("机耕道", "Field Track", "track", [(1600, -22), (1730, 90), (1770, 210), (1790, 380), (1850, 610)]),
    Street("机耕道", "Field Track", "track", [(800, 184), (820, 60), (790, -60)]),
    Street("机耕道", "Field Track", "track", [(520, 190), (560, 60), (640, -20), (790, -60), (960, -90), (1196, -60)]),
    Street("机耕道", "Field Track", "track", [(1440, 6), (1420, -90), (1440, -170)]),
]

#: The old street and the 13 lanes of the old quarter.
OLD_STREET = Street("老街", "Old Street", "living_street",
                    [(331, 1001), (392, 995), (440, 1005), (500, 993), (560, 1001), (606, 992)])  # fmt: skip
_LANES: list[Points] = [
    [(393, 996), (386, 1048), (396, 1092), (390, 1150)],
    [(434, 1000), (443, 1048), (430, 1094), (438, 1150)],
    [(478, 998), (471, 1058), (484, 1100), (479, 1150)],
    [(522, 994), (531, 1046), (519, 1092), (527, 1150)],
    [(565, 998), (558, 1052), (569, 1100), (564, 1150)],
    [(331, 1064), (364, 1070), (388, 1061), (415, 1066), (443, 1076)],
    [(436, 1052), (457, 1056), (474, 1050), (500, 1060), (528, 1056), (560, 1064), (610, 1058)],
    [(388, 1000), (394, 950), (384, 915), (390, 886)],
    [(425, 1002), (417, 955), (429, 915), (423, 886)],
    [(465, 1004), (471, 962), (456, 915), (465, 883)],
    [(508, 995), (499, 945), (512, 905), (503, 880)],
    [(552, 1000), (559, 945), (548, 900), (555, 871)],
    [(342, 944), (397, 938), (422, 949), (462, 938), (504, 946), (556, 934), (612, 942)],
]
_NUMBERS = "一二三四五六七八九十"


def chinese_number(n: int) -> str:
    """1 to 19 in Chinese: 13 is 十三."""
    return _NUMBERS[n - 1] if n <= len(_NUMBERS) else "十" + _NUMBERS[n - 11]


LANES = [
    Street(f"和平巷{chinese_number(i)}巷", f"Heping Lane {i}", "lane", points)
    for i, points in enumerate(_LANES, start=1)
]

#: Rough outlines: a block belongs to the community whose outline holds its middle. Real borders follow the lines.
RURAL_BORDER: Points = [
    (2140, 770), (2176, 560), (2128, 380), (2150, 200), (2020, 60), (1890, -90), (1660, -168), (1400, -226),
    (1150, -262), (900, -184), (700, -120), (500, -60), (396, 110), (404, 240), (424, 390),
]  # fmt: skip


#: Borders that follow no line of the plan: short ends to the river and the railway, and the outer border.
LIMITS: list[Points] = [
    [(73, 850), (77, 780)],
    [(365, 900), (367, 840)],
    [(484, 805), (486, 870)],
    [(474, 482), (470, 330)],
    [(1398, 1444), (1400, 1459), (1450, 1460)],
]


@dataclass(frozen=True)
class Community:
    """A community: an invented code, names, kind and a rough outline."""

    id: str
    name: str
    name_en: str
    kind: str
    outline: Points


COMMUNITIES = [
    Community("990101001001", "锦华社区", "Jinhua Community", "urban",
              [(600, 827), (700, 806), (900, 770), (1100, 760), (1300, 776), (1392, 785), (1430, 1500), (610, 1500)]),
    Community("990101001002", "和平里社区", "Hepingli Community", "old",
              [(360, 858), (520, 850), (600, 827), (600, 1138), (341, 1138)]),
    Community("990101001003", "安居社区", "Anju Community", "resettlement",
              [(460, 870), (600, 850), (900, 780), (1390, 790), (1360, 640), (1190, 428), (860, 355), (460, 350)]),
    Community("990101001004", "学府社区", "Xuefu Community", "urban",
              [(0, 780), (360, 858), (341, 1138), (600, 1138), (610, 1460), (0, 1460)]),
    Community("990101001205", "柳溪村社区", "Liuxi Village Community", "rural",
              [(1390, 790), (1360, 640), (1190, 420), (860, 345), (400, 350), (300, -400), (2400, -400), (2400, 790)]),
]  # fmt: skip


@dataclass(frozen=True)
class Plot:
    """One piece of a block: its use, its share (u0, v0, u1, v1) of the block's box, and how it is built."""

    use: str  # compound, school, kindergarten, park, hall, open
    part: tuple[float, float, float, float]
    name: str
    name_en: str
    style: str = "slab"
    floors: int = 6
    gates: str = "S"
    lines: int = 1


@dataclass(frozen=True)
class Block:
    """A block of the town: a point in it, streets of it that have shops, and its plots."""

    at: Point
    front: tuple[str, ...] = ()
    plots: tuple[Plot, ...] = ()
    depth: float = 12.0
    floors: tuple[int, int] = (3, 5)
    rows: int = 1  # of sheds behind one another


def _c(part: tuple[float, float, float, float], name: str, name_en: str, style: str, floors: int, gates: str,
       lines: int = 1) -> Plot:  # fmt: skip
    return Plot("compound", part, name, name_en, style, floors, gates, lines)


BLOCKS = [
    # Jinhua: between the river road and Market Street
    Block((716, 903), ("市场街",), (
        _c((0, 0, 0.62, 1), "锦江花园", "Jinjiang Garden", "slab", 5, "SN"),
        _c((0.62, 0, 1, 1), "金河公寓", "Jinhe Apartments", "high_slab", 9, "S"),
    )),
    Block((950, 893), ("市场街",), (
        _c((0, 0, 0.56, 1), "滨江国际", "Riverside International", "tower", 17, "SN"),
        _c((0.56, 0, 1, 1), "滨江雅居", "Riverside Court", "high_slab", 9, "E"),
    )),
    Block((1176, 889), ("市场街",), (
        _c((0, 0, 0.5, 1), "棉纺厂宿舍", "Cotton Mill Housing", "old_slab", 4, "W"),
        _c((0.5, 0, 1, 1), "东苑小区", "Dongyuan Estate", "slab", 4, "S"),
    )),
    # between Market Street and Jinhe Road
    Block((721, 1064), ("市场街", "和平路"), (
        _c((0, 0, 0.55, 1), "和平苑", "Heping Court", "slab", 5, "N"),
        Plot("school", (0.55, 0, 1, 1), "锦华小学", "Jinhua Primary School", floors=4, gates="N"),
    )),
    Block((954, 1057), ("市场街", "人民路"), (
        _c((0, 0, 0.5, 1), "锦华名都", "Jinhua Metropolis", "tower", 16, "WN"),
        Plot("open", (0.5, 0.42, 1, 1), "人民广场", "Renmin Square", gates="S"),
        _c((0.5, 0, 1, 0.42), "邮电宿舍", "Post and Telecom Housing", "old_slab", 5, "S"),
    )),
    Block((1184, 1062), ("市场街", "人民路"), (
        _c((0, 0, 0.58, 1), "金桂苑", "Osmanthus Court", "slab", 4, "N"),
        Plot("kindergarten", (0.58, 0.5, 1, 1), "锦华幼儿园", "Jinhua Kindergarten", floors=3, gates="E"),
        _c((0.58, 0, 1, 0.5), "粮食局宿舍", "Grain Bureau Housing", "old_slab", 5, "E"),
    )),
    # between Jinhe Road and Jinxiu Street
    Block((660, 1215), ("和平路",), (
        _c((0, 0, 1, 1), "锦绣园", "Jinxiu Garden", "slab", 5, "E"),
    )),
    Block((785, 1215), (), (
        _c((0, 0, 1, 1), "翠湖轩", "Cuihu Terrace", "tower", 15, "WN"),
    )),
    Block((907, 1196), (), (
        _c((0, 0, 1, 1), "文锦小区", "Wenjin Estate", "slab", 5, "E"),
    )),
    Block((1015, 1200), ("人民路",), (
        Plot("park", (0, 0, 1, 1), "锦绣公园", "Jinxiu Park", gates="WN"),
    )),
    Block((1192, 1209), ("人民路",), (
        _c((0, 0, 0.5, 1), "纺织新村", "Textile New Village", "old_slab", 4, "N"),
        _c((0.5, 0, 1, 1), "东方华庭", "Oriental Court", "high_slab", 9, "EN"),
    )),
    # north
    Block((728, 1350), ("锦绣街",), (
        _c((0, 0, 0.5, 1), "北苑一期", "Beiyuan Phase 1", "slab", 5, "S"),
        _c((0.5, 0, 1, 1), "北苑二期", "Beiyuan Phase 2", "slab", 5, "S"),
    )),
    Block((967, 1340), ("锦绣街",), (
        _c((0, 0, 0.6, 1), "天和家园", "Tianhe Homes", "tower", 18, "SW"),
        _c((0.6, 0, 1, 1), "机关宿舍", "Office Staff Housing", "old_slab", 4, "S"),
    )),
    Block((1189, 1369), (), (
        Plot("school", (0, 0, 0.46, 1), "金河中学", "Jinhe Middle School", floors=5, gates="S"),
        _c((0.46, 0, 1, 1), "教师新村", "Teachers' Village", "slab", 4, "S"),
    )),
    Block((1352, 1107), ("东环路",), (), 24.0, (1, 2), 2),
    # Xuefu: campus and the blocks around it
    Block((239, 1270), (), (
        Plot("campus", (0, 0, 1, 1), "金河师范学院", "Jinhe Normal College", gates="SEN"),
    )),
    Block((525, 1290), ("和平路",), (
        _c((0, 0, 1, 0.52), "学苑小区", "Xueyuan Estate", "slab", 5, "W"),
        _c((0, 0.52, 1, 1), "师院家属院", "College Family Housing", "old_slab", 5, "W"),
    ), floors=(4, 6)),
    Block((116, 1057), (), (
        _c((0, 0, 1, 1), "书香苑", "Shuxiang Court", "slab", 5, "E"),
    )),
    Block((271, 1064), ("文昌街",), (
        _c((0, 0, 1, 1), "文昌花园", "Wenchang Garden", "slab", 6, "WS"),
    )),
    Block((129, 911), (), (
        _c((0, 0, 1, 1), "新风小区", "Xinfeng Estate", "old_slab", 5, "NE"),
    )),
    Block((280, 925), ("文昌街",), (
        Plot("kindergarten", (0, 0.5, 0.4, 1), "学府幼儿园", "Xuefu Kindergarten", floors=3, gates="W"),
        _c((0.4, 0.5, 1, 1), "文昌里", "Wenchang Lane Court", "old_slab", 5, "N"),
        Plot("park", (0, 0, 1, 0.5), "文昌园", "Wenchang Gardens", gates="W"),
    )),
    # Anju: the resettlement estate
    Block((529, 712), (), (
        _c((0, 0, 1, 1), "安居苑一区", "Anju Court 1", "slab", 5, "SE"),
    )),
    Block((711, 693), ("安居街",), (
        _c((0, 0, 0.5, 1), "安居苑二区", "Anju Court 2", "slab", 5, "S"),
        _c((0.5, 0, 1, 1), "安居苑三区", "Anju Court 3", "slab", 5, "S"),
    )),
    Block((953, 668), ("安居街",), (
        Plot("kindergarten", (0, 0, 0.28, 1), "安居幼儿园", "Anju Kindergarten", floors=3, gates="W"),
        _c((0.28, 0, 1, 1), "安居苑四区", "Anju Court 4", "high_slab", 13, "S"),
    )),
    Block((1176, 670), ("人民路",), (
        _c((0, 0, 1, 1), "安居苑五区", "Anju Court 5", "slab", 6, "S"),
    )),
    Block((531, 542), (), (
        _c((0, 0, 1, 1), "安康苑", "Ankang Court", "slab", 4, "E"),
    )),
    Block((712, 543), ("安居街",), (
        Plot("park", (0, 0, 0.4, 1), "安居公园", "Anju Park", gates="SW"),
        _c((0.4, 0, 1, 1), "安平苑", "Anping Court", "slab", 5, "S"),
    )),
    Block((945, 546), ("安居街",), (
        Plot("school", (0, 0, 0.62, 1), "安居九年制学校", "Anju Nine-Year School", floors=4, gates="S"),
        _c((0.62, 0, 1, 1), "安学苑", "Anxue Court", "slab", 6, "S"),
    )),
    Block((1142, 546), (), (
        Plot("landmark", (0, 0, 0.5, 1), "安居大厦", "Anju Tower", floors=33, gates="S"),
        _c((0.5, 0, 1, 1), "安东苑", "Andong Court", "high_slab", 9, "S"),
    )),
    Block((1285, 578), ("安东路",), (), 26.0, (1, 1), 2),
    Block((754, 410), ("安康街",), (), 22.0, (1, 2), 2),
]  # fmt: skip

OLD_QUARTER = "990101001002"
VILLAGE = "990101001205"


@dataclass(frozen=True)
class Market:
    """A market hall of the old quarter with its number of shopfronts."""

    key: str
    at: Point
    part: tuple[float, float, float, float]
    name: str
    name_en: str
    shops: int


MARKETS = [
    Market("M1", (483, 900), (0.0, 0.0, 1.0, 1.0), "和平里菜市场", "Hepingli Food Market", 278),
    Market("M2", (583, 1095), (0.0, 0.0, 1.0, 1.0), "老街小商品市场", "Old Street Small Goods Market", 363),
]


@dataclass(frozen=True)
class Hamlet:
    """A villager group: its lanes and about how many houses stand along them."""

    name: str
    name_en: str
    houses: int
    lanes: tuple[Points, ...]
    rows: int = 2


HAMLETS = [
    Hamlet("柳溪一组", "Liuxi Group 1", 84, (
        [(1046, 200), (930, 172), (868, 178)], [(985, 184), (978, 250), (990, 306)],
        [(930, 172), (922, 110), (936, 60)],
    )),
    Hamlet("柳溪二组", "Liuxi Group 2", 78, (
        [(800, 184), (730, 174), (660, 168)], [(742, 176), (748, 250), (734, 300)], [(700, 171), (694, 110), (706, 70)],
    )),
    Hamlet("柳溪三组", "Liuxi Group 3", 74, (
        [(600, 175), (520, 190), (450, 214)], [(536, 186), (548, 250), (540, 296)], [(490, 200), (474, 130), (486, 80)],
    )),
    Hamlet("柳溪四组", "Liuxi Group 4", 88, (
        [(1092, 112), (1180, 44), (1250, 22)], [(1120, 86), (1180, 130), (1250, 142)],
        [(1150, 64), (1100, 20), (1040, 10)],
    )),
    Hamlet("柳溪五组", "Liuxi Group 5", 70, (
        [(1192, -30), (1196, -60), (1160, -170), (1168, -212)], [(1186, -100), (1260, -112), (1330, -100)],
        [(1160, -160), (1090, -150), (1030, -160)],
    )),
    Hamlet("柳溪六组", "Liuxi Group 6", 84, (
        [(1370, 7), (1440, 6), (1530, -8)], [(1470, 2), (1480, 60), (1468, 110)],
        [(1500, -3), (1512, -70), (1500, -120)],
        [(1404, 6), (1398, -50), (1380, -90)],
    )),
    Hamlet("柳溪七组", "Liuxi Group 7", 76, (
        [(1500, 248), (1590, 400), (1614, 446)], [(1556, 334), (1500, 380), (1440, 400)],
        [(1590, 400), (1540, 450), (1500, 500)],
    )),
    Hamlet("柳溪八组", "Liuxi Group 8", 78, (
        [(1650, 520), (1700, 660), (1708, 720)], [(1676, 580), (1610, 610), (1540, 606)],
        [(1704, 700), (1640, 712), (1570, 700)],
    )),
]  # fmt: skip
