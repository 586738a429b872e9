"""Boundaries from words: names as people write them, descriptions taken apart, and what named streets enclose."""

from __future__ import annotations

import itertools

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from named_blocks import alike, named_blocks
from shapely import LineString, Point, Polygon, box

import gridmap as gm
from gridmap.tables.bounds.names import fold, match_names

CRS = "EPSG:4548"
EAST, NORTH = 500_000, 4_400_000
CORNER = np.array([EAST, NORTH])


def street_table(lines, crs=CRS):
    """Streets from (name, coordinates in metres from a corner of the town)."""
    shapes = [LineString(np.array(line) + CORNER) for _, line in lines]
    return gpd.GeoDataFrame({"name": [name for name, _ in lines]}, geometry=shapes, crs=crs)


def town(**changes):
    """A block of 400 by 300 m between four streets that run on beyond it."""
    lines = {
        "金银路": [(0, -50), (0, 350)],
        "黑甲山前街": [(400, -50), (400, 350)],
        "和平路": [(-50, 0), (450, 0)],
        "北环路": [(-50, 300), (450, 300)],
    }
    return street_table((lines | changes).items())


SIDES = {"west": "金银路", "east": "黑甲山前街", "south": "和平路", "north": "北环路"}


def placed(*bounds):
    x0, y0, x1, y1 = bounds
    return box(EAST + x0, NORTH + y0, EAST + x1, NORTH + y1)


BLOCK = placed(0, 0, 400, 300)


# names


@pytest.mark.parametrize(
    ("wanted", "meant", "least"),
    [
        ("学院路", "学院路", 1),
        ("學院路", "学院路", 1),
        ("学　院路 ", "学院路", 1),
        ("学院路（规划）", "学院路", 1),
        ("学院路南段", "学院路", 0.97),
        ("学院路辅路", "学院路", 0.97),
        ("学院大街", "学院路", 0.9),
        ("学院街", "学院路", 0.9),
        ("3号路", "三号路", 0.97),
        ("１２号街", "12号街", 1),
        ("中关村大街", "中关村北大街", 0.75),
        ("Leon y Castillo", "Calle León y Castillo", 0.9),
        ("C/ León y Castillo", "Calle León y Castillo", 0.97),
        ("AVDA. JOSE MESA Y LOPEZ", "Avenida José Mesa y López", 0.97),
        ("Calle Leon y Castilo", "Calle León y Castillo", 0.7),
        ("Xueyuan Rd.", "Xueyuan Road", 0.97),
        ("Zhichun Lu", "Zhichun Road", 0.97),
    ],
)
def test_a_name_is_found_as_people_write_it(wanted, meant, least):
    others = ["学清路", "三环路", "中关村东路口", "Calle Leonardo", "Avenida de Escaleritas", "人民路"]
    matches, _ = match_names(wanted, [*others, meant])
    assert matches[0].names == (meant,)
    assert least <= matches[0].score <= 1


def test_sections_of_a_street_are_one_street():
    matches, _ = match_names("学院路", ["学院路北段", "学院路南段", "学院南路"])
    assert matches == [(("学院路北段", "学院路南段"), 0.97)]


def test_a_name_that_is_there_shuts_out_those_that_look_like_it():
    assert match_names("清华路", ["清华路", "清华东路", "清华大街"])[0] == [(("清华路",), 1.0)]
    assert [m.names for m in match_names("清华街", ["清华路", "清华大街"])[0]] == [("清华大街",), ("清华路",)]


def test_a_name_with_nothing_like_it_has_no_match_but_near_names():
    matches, nearest = match_names("黑甲山前街", ["金银路", "黑石礁街", "和平路"])
    assert matches == []
    assert "黑石礁街" in nearest


@settings(max_examples=200, deadline=None)
@given(st.text(min_size=1, max_size=12))
def test_any_text_agrees_with_itself(name):
    matches, _ = match_names(name, [name, "人民路"])
    assert name in matches[0].names
    assert fold(fold(name)) == fold(name)


# descriptions


@pytest.mark.parametrize(
    "text",
    [
        "东至黑甲山前街，西至金银路，南至和平路，北至北环路",
        "四至：東至黑甲山前街；西至金銀路；南至和平路；北至北環路。",
        "东到黑甲山前街西侧、西临金银路、南以和平路为界、北靠北环路中心线",
        "北：北环路 南：和平路 东：黑甲山前街 西：金银路",
        "东面至黑甲山前街,西面至金银路,南面至和平路,北面至北环路,面积0.12平方公里",
        "东至黑甲山前街西至金银路南至和平路北至北环路",
        "东至黑甲山前街以西，西至金银路以东侧，南至和平路以北，北至北环路以南",
        "黑甲山前街以西、金银路以东、和平路以北、北环路以南的区域",
        "位于北环路以南，和平路以北，黑甲山前街以西，金银路以东。",
        "east: 黑甲山前街; west: 金银路; south: 和平路; north: 北环路",
        "East to 黑甲山前街, west to 金银路, south to 和平路, and north to 北环路.",
    ],
)
def test_a_description_is_taken_apart(text):
    assert gm.bounds_from_text(text) == {
        "east": ["黑甲山前街"], "west": ["金银路"], "south": ["和平路"], "north": ["北环路"],
    }  # fmt: skip


def test_a_side_may_have_several_streets_and_a_street_two_sides():
    found = gm.bounds_from_text("东、南至滨河路，西至和平路与安平路，北至北环路、锦绣街")
    assert found == {
        "east": ["滨河路"], "west": ["和平路", "安平路"], "south": ["滨河路"], "north": ["北环路", "锦绣街"],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("东至A路，西至B路，南至C路", "does not say where the north"),
        ("", "does not say where the east and the west and the south and the north"),
        ("东至A路，西至B路，南至C路，北至D路，东至E路", "tells the east twice: A路 and E路"),
    ],
)
def test_a_description_that_cannot_be_read_is_refused(text, said):
    with pytest.raises(gm.OptionError, match=said):
        gm.bounds_from_text(text)


# what is enclosed


def test_four_streets_enclose_their_block():
    found = gm.community_from_bounds(town(), **SIDES)
    assert list(found["rank"]) == [1]
    assert found.geometry[0].symmetric_difference(BLOCK).area < 1
    row = found.iloc[0]
    assert row["area_m2"] == pytest.approx(120_000, abs=1)
    assert (row["gap_m"], row["misplaced"], row["findings"]) == (0, "", "")
    assert row[["east", "west", "south", "north"]].tolist() == [SIDES[s] for s in ("east", "west", "south", "north")]
    assert len(found.attrs["findings"]) == 0
    assert found.crs == CRS


def test_text_and_degrees_do_as_well():
    text = "东至黑甲山前街，西至金银大街，南至和平路西段，北至北環路"
    found = gm.community_from_bounds(town().to_crs(4326), text=text)
    assert found.crs == 4326
    assert alike(found.to_crs(CRS).geometry[0], BLOCK) > 0.9999
    assert found.loc[0, ["west_score", "south_score", "north_score"]].tolist() == [0.9, 0.97, 1]
    rules = found.attrs["findings"].set_index("rule")["severity"]
    assert rules["bounds_name"].tolist() == ["warning", "info"] or set(rules["bounds_name"]) == {"warning", "info"}


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_on_a_lattice_the_union_of_known_blocks_is_enclosed(data):
    """Streets at known places, turned by any angle, broken at crossings: always the box between the four."""
    steps = st.lists(st.integers(120, 400), min_size=2, max_size=4)
    xs = np.r_[0, np.cumsum(data.draw(steps))]
    ys = np.r_[0, np.cumsum(data.draw(steps))]
    i, j = sorted(data.draw(st.lists(st.integers(0, len(xs) - 1), min_size=2, max_size=2, unique=True)))
    k, m = sorted(data.draw(st.lists(st.integers(0, len(ys) - 1), min_size=2, max_size=2, unique=True)))
    angle = data.draw(st.floats(-30, 30))
    short = data.draw(st.sampled_from([0, 0, 8, 15]))
    lines = [(f"纵{n}街", [(x, y0 + short), (x, y1 - short)]) for n, x in enumerate(xs) for y0, y1 in pairs(ys, short)]
    lines += [(f"横{n}路", [(x0, y), (x1, y)]) for n, y in enumerate(ys) for x0, x1 in [(-60, xs[-1] + 60)]]
    streets = street_table(lines)
    streets.geometry = streets.geometry.rotate(angle, origin=(EAST, NORTH))
    found = gm.community_from_bounds(
        streets, west=f"纵{i}街", east=f"纵{j}街", south=f"横{k}路", north=f"横{m}路", max_gap=40
    )
    known = gpd.GeoSeries([placed(xs[i], ys[k], xs[j], ys[m])], crs=CRS).rotate(angle, origin=(EAST, NORTH))[0]
    # lines are joined on a grid of a millimetre
    assert found.geometry[0].symmetric_difference(known).area < 0.002 * known.length
    assert found.loc[0, "misplaced"] == ""
    # a street interrupted at each crossing that its side passes, and at the two where it ends
    assert found.loc[0, "gap_m"] == pytest.approx(2 * 2 * short * (m - k), abs=0.1)


def pairs(ys, short):
    """Pieces of a street between its crossings, or all of it."""
    return [(-60, ys[-1] + 60)] if short == 0 else list(itertools.pairwise(ys))


def test_streets_that_do_not_quite_meet_are_joined_and_the_gap_is_told():
    found = gm.community_from_bounds(town(金银路=[(0, 25), (0, 350)]), **SIDES)
    assert found.geometry[0].symmetric_difference(BLOCK).area < 1
    assert found.loc[0, "gap_m"] == pytest.approx(25, abs=0.01)
    told = found.attrs["findings"].iloc[0]
    assert (told["rule"], told["severity"], told["ids"]) == ("bounds_gap", "info", ["1"])
    assert told["geometry"].length == pytest.approx(25, abs=0.01)
    assert "和平路 and 金银路 do not meet; bridged are 25.0 m" in found.loc[0, "findings"]


def test_what_is_too_far_apart_is_refused_with_the_distance():
    streets = town(金银路=[(0, 180), (0, 350)])
    with pytest.raises(gm.OptionError, match=r"south '和平路' and west '金银路' are 180 m apart.*max_gap=100"):
        gm.community_from_bounds(streets, **SIDES)
    found = gm.community_from_bounds(streets, **SIDES, max_gap=200)
    assert found.geometry[0].symmetric_difference(BLOCK).area < 1


def test_a_street_in_far_pieces_is_told_as_one_with_a_gap():
    streets = street_table(
        [*[(n, c) for n, c in lines_of(town()) if n != "北环路"],
         ("北环路", [(-50, 300), (50, 300)]), ("北环路", [(350, 300), (450, 300)])]
    )  # fmt: skip
    with pytest.raises(gm.OptionError, match=r"north '北环路' has a gap of 300 m"):
        gm.community_from_bounds(streets, **SIDES)


def lines_of(streets):
    return [
        (name, shapely.get_coordinates(shape) - CORNER)
        for name, shape in zip(streets["name"], streets.geometry, strict=True)
    ]


def test_separate_carriageways_give_the_land_between_the_inner_ones():
    lines = []
    for name, line in lines_of(town()):
        across = np.array([[20.0, 0]]) if line[0][0] == line[1][0] else np.array([[0, 20.0]])
        lines += [(name, line - across / 2), (name, line + across / 2)]
    found = gm.community_from_bounds(street_table(lines), **SIDES)
    assert found.geometry[0].symmetric_difference(placed(10, 10, 390, 290)).area < 1
    assert len(found) == 1
    assert found.loc[0, "gap_m"] == 0


def test_streets_that_meet_twice_give_both_polygons_and_the_area_chooses():
    bent = [(-50, 0), (200, 0), (200, -400), (-50, -400)]
    streets = street_table(
        [("金银路", [(0, -450), (0, 350)]), ("黑甲山前街", [(150, -450), (150, 350)]),
         ("北环路", [(-50, 300), (450, 300)]), ("和平路", bent)]
    )  # fmt: skip
    found = gm.community_from_bounds(streets, **SIDES)
    small, large = placed(0, 0, 150, 300), placed(0, -400, 150, 300)
    assert found.geometry[0].symmetric_difference(small).area < 1
    assert any(shape.symmetric_difference(large).area < 1 for shape in found.geometry)
    assert "bounds_several" in set(found.attrs["findings"]["rule"])
    chosen = gm.community_from_bounds(streets, **SIDES, area_km2=0.1)
    assert chosen.geometry[0].symmetric_difference(large).area < 1
    assert chosen.loc[0, "area_ratio"] == pytest.approx(1.05, abs=0.001)
    assert list(chosen["rank"]) == list(range(1, len(chosen) + 1))
    assert chosen["community_id"].tolist()[:2] == ["1", "1-2"]


def test_an_area_that_no_polygon_has_is_a_finding():
    found = gm.community_from_bounds(town(), **SIDES, area_m2=60_000)
    assert found.loc[0, "area_ratio"] == pytest.approx(2, abs=1e-4)
    assert "2.00 times the 60,000 m² stated" in found.loc[0, "findings"]


RING = [(200 + 200 * np.cos(a), 150 + 200 * np.sin(a)) for a in np.linspace(0, 2 * np.pi, 73)]


def test_a_ring_road_on_all_four_sides_is_filled():
    streets = street_table([("环城路", RING), ("和平路", [(-50, 0), (450, 0)])])
    found = gm.community_from_bounds(streets, east="环城路", west="环城路", south="环城路", north="环城路")
    assert found.geometry[0].symmetric_difference(Polygon(np.array(RING) + CORNER)).area < 1


def test_a_ring_road_cut_by_a_street_gives_the_half_on_the_right_side():
    streets = street_table([("环城路", RING), ("和平路", [(-50, 100), (450, 100)])])
    ring = Polygon(np.array(RING) + CORNER)
    upper = ring.intersection(placed(-500, 100, 900, 900))
    found = gm.community_from_bounds(streets, east="环城路", west="环城路", north="环城路", south="和平路")
    assert alike(found.geometry[0], upper) > 0.999
    lower = gm.community_from_bounds(streets, east="环城路", west="环城路", south="环城路", north="和平路")
    assert alike(lower.geometry[0], ring.difference(upper)) > 0.999


def test_sides_that_are_exchanged_are_told():
    found = gm.community_from_bounds(town(), **{**SIDES, "east": SIDES["west"], "west": SIDES["east"]})
    assert found.geometry[0].symmetric_difference(BLOCK).area < 1
    assert found.loc[0, "misplaced"] == "east、west"
    assert set(found.attrs["findings"]["rule"]) == {"bounds_side"}


@pytest.mark.parametrize("order", [["北环路", "锦绣街"], ["锦绣街", "北环路"]])
def test_a_side_of_two_streets_is_followed_in_either_order(order):
    streets = street_table(
        [(n, c) for n, c in lines_of(town()) if n != "北环路"]
        + [("北环路", [(-50, 300), (200, 300)]), ("锦绣街", [(200, 300), (450, 340)])]
    )
    found = gm.community_from_bounds(streets, **{**SIDES, "north": order})
    known = shapely.transform(Polygon([(0, 0), (400, 0), (400, 332), (200, 300), (0, 300)]), lambda c: c + CORNER)
    assert found.geometry[0].symmetric_difference(known).area < 1
    assert set(found.loc[0, "north"].split("、")) == {"北环路", "锦绣街"}


def test_a_river_is_a_side_when_it_is_given():
    streets, river = town(), town().iloc[[2]].assign(name="清河", kind="river", hard=True)
    streets = streets.drop(index=2)
    with pytest.raises(gm.OptionError, match="south '清河'"):
        gm.community_from_bounds(streets, **{**SIDES, "south": "清河"})
    found = gm.community_from_bounds(streets, **{**SIDES, "south": "清河"}, barriers=river)
    assert found.geometry[0].symmetric_difference(BLOCK).area < 1
    bank = river.set_geometry(river.buffer(20, cap_style="flat"))
    found = gm.community_from_bounds(streets, **{**SIDES, "south": "清河"}, barriers=bank)
    assert found.geometry[0].symmetric_difference(placed(0, 20, 400, 300)).area < 1


def test_a_name_that_is_nowhere_is_refused_with_the_nearest():
    with pytest.raises(gm.OptionError, match=r"east '黑甲河边小路' \(nearest: .*黑甲山前街"):
        gm.community_from_bounds(town(), **{**SIDES, "east": "黑甲河边小路"})


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({**SIDES, "east": None}, "east=None names no street"),
        ({**SIDES, "east": []}, r"east=\[\] names no street"),
        ({**SIDES, "text": "东至A路"}, "text= already tells the sides"),
        ({**SIDES, "area_m2": 1, "area_km2": 1}, "not both"),
        ({**SIDES, "area_m2": -1}, "must be above 0"),
        ({**SIDES, "max_gap": -1}, "max_gap=-1"),
        ({**SIDES, "alternatives": 0}, "alternatives=0"),
    ],
)
def test_options_that_cannot_work_are_refused(options, said):
    with pytest.raises(gm.OptionError, match=said):
        gm.community_from_bounds(town(), **options)


def test_streets_without_names_and_parallel_streets_are_refused():
    with pytest.raises(gm.OptionError, match="no row has a name"):
        gm.community_from_bounds(town().drop(columns="name"), **SIDES)
    with pytest.raises(gm.OptionError, match="enclose nothing"):
        gm.community_from_bounds(town(), **{**SIDES, "south": "金银路", "north": "黑甲山前街"})


def test_a_prepared_network_will_do():
    streets = town().assign(**{"class": "residential"})
    network = gm.StreetNetwork.from_streets(streets)
    found = gm.community_from_bounds(network, **SIDES)
    assert found.geometry[0].symmetric_difference(BLOCK).area < 1


def test_the_first_row_is_a_community_that_can_be_divided():
    found = gm.community_from_bounds(town(), **SIDES, community_id="110101001001")
    homes = [Point(EAST + x, NORTH + y) for x in range(20, 400, 40) for y in range(20, 300, 40)]
    buildings = gpd.GeoDataFrame(
        {"building_id": [f"b{k}" for k in range(len(homes))], "households": 12}, geometry=homes, crs=CRS
    )
    plan = gm.divide(found.head(1), buildings, town(), effort="low")
    assert plan.grids["households"].sum() == 12 * len(homes)
    assert set(plan.grids["status"]) == {"legal"}


# real streets


def written(name, style):
    """A name as another hand would write it, meaning the same street."""
    if style == "wide":
        return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in name)
    if style == "loud":
        return f" {fold(name).upper()} "
    if style == "section":
        return f"{name}北段" if not name.isascii() and name[-1] in "路街" else f"{name} (sector norte)"
    return name


def check_blocks(streets, number, *, alternatives=8):
    """Share of real blocks that are found as the first, each with its names written in another way."""
    crs, blocks = named_blocks(streets)
    assert len(blocks) >= number
    chosen = [blocks[k] for k in np.random.default_rng(7).permutation(len(blocks))[:number]]
    first = []
    for place, (block, sides) in enumerate(chosen):
        style = ("plain", "wide", "loud", "section")[place % 4]
        asked = {side: written(name, style) for side, name in sides.items()}
        found = gm.community_from_bounds(streets, **asked, alternatives=alternatives).to_crs(crs)
        agreement = [alike(block, shape) for shape in found.geometry]
        assert max(agreement) > 0.85, (sides, agreement)
        first.append(agreement[0] > 0.99)
    return sum(first) / len(first)


def test_blocks_of_beijing_are_found(data_dir):
    for place, number in (("beijing_tsinghua", 5), ("beijing_cau", 3)):
        assert check_blocks(gm.read_streets(data_dir / place / "map.osm.pbf"), number) >= 0.8


def test_blocks_of_las_palmas_are_found(data_dir):
    streets = gm.read_streets(data_dir / "las_palmas" / "las_palmas_20230221.osm.pbf")
    assert check_blocks(streets.cx[-15.45:-15.42, 28.1:28.15].reset_index(drop=True), 16) >= 0.9


def test_blocks_of_porto_are_found(data_dir):
    streets = gm.read_streets(data_dir / "porto" / "porto_portugal.osm.pbf")
    assert check_blocks(streets.cx[-8.63:-8.59, 41.14:41.165].reset_index(drop=True), 16) >= 0.9
