"""OpenStreetMap extracts: which elements become which rows, their shapes, and what is left out and counted."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from gridmap.errors import ReadError
from gridmap.io.read.osm import read_osm
from gridmap.io.read.osm_tags import KEYS, RULES
from gridmap.io.read.readers import read_barriers, read_buildings, read_communities, read_facilities, read_streets
from gridmap.network.streets import StreetNetwork
from gridmap.tables.categories import facility_categories

ALL = ("streets", "buildings", "compounds", "entrances", "barriers", "facilities", "communities")
# A degree is about 100 km here; METRE is a step of about a metre.
METRE = 1e-5
LON, LAT = 116.3, 40.0


class Extract:
    """Writes a small .osm file from nodes in metres, ways and relations."""

    def __init__(self):
        self.nodes, self.ways, self.relations, self.last = [], [], [], 0

    def node(self, x, y, **tags):
        self.last += 1
        self.nodes.append((self.last, LON + x * METRE / 0.85, LAT + y * METRE / 1.11, tags))
        return self.last

    def way(self, refs, **tags):
        self.last += 1
        self.ways.append((self.last, refs, tags))
        return self.last

    def box(self, x, y, size, **tags):
        corners = [self.node(x, y), self.node(x + size, y), self.node(x + size, y + size), self.node(x, y + size)]
        return self.way([*corners, corners[0]], **tags)

    def relation(self, members, **tags):
        self.last += 1
        self.relations.append((self.last, members, tags))
        return self.last

    def write(self, path):
        def inside(tags):
            return "".join(f'<tag k="{k.replace("__", ":")}" v="{v}"/>' for k, v in tags.items())

        nodes = [f'<node id="{i}" lon="{x:.7f}" lat="{y:.7f}">{inside(t)}</node>' for i, x, y, t in self.nodes]
        ways = [
            f'<way id="{i}">{"".join(f"<nd ref={chr(34)}{r}{chr(34)}/>" for r in refs)}{inside(t)}</way>'
            for i, refs, t in self.ways
        ]
        relations = [
            f'<relation id="{i}">{"".join(f"<member type={chr(34)}way{chr(34)} ref={chr(34)}{m}{chr(34)} role={chr(34)}{r}{chr(34)}/>" for m, r in members)}{inside(t)}</relation>'  # noqa: E501
            for i, members, t in self.relations
        ]
        path.write_text(f'<osm version="0.6">{"".join([*nodes, *ways, *relations])}</osm>', encoding="utf-8")
        return path


@pytest.fixture
def extract(tmp_path):
    made = Extract()
    made.path = tmp_path / "town.osm"
    return made


def left_out(table):
    return {entry["reason"]: entry["count"] for entry in table.attrs["reading"]["left_out"]}


# ---- streets ---------------------------------------------------------------------------------------------------------


def test_streets_keep_node_ids_and_join_by_them(extract):
    a, b, c, d = (extract.node(x, 0) for x in (0, 10, 20, 30))
    extract.way([a, b, c], highway="residential", name="长椿街", oneway="yes", layer="1", bridge="yes")
    extract.way([b, d], highway="steps")
    streets = read_osm(extract.write(extract.path), ["streets"])["streets"]
    assert streets.crs == 4326
    assert streets["class"].tolist() == ["residential", "steps"]
    assert [ids.tolist() for ids in streets["node_ids"]] == [[a, b, c], [b, d]]
    assert all(ids.dtype == np.int64 for ids in streets["node_ids"])
    assert [len(ids) for ids in streets["node_ids"]] == shapely.get_num_coordinates(streets.geometry).tolist()
    first = streets.iloc[0]
    assert (first["name"], first["oneway"], first["layer"], first["bridge"]) == ("长椿街", "yes", "1", True)
    assert streets["stairs"].tolist() == [False, True]
    assert streets["street_id"].str.fullmatch(r"way/\d+").all()


def test_streets_leave_out_what_is_no_street_and_count_it(extract):
    ways = [[extract.node(x, y) for x in (0, 10)] for y in range(6)]
    extract.way(ways[0], highway="construction")
    extract.way(ways[1], highway="platform")
    extract.way(ways[2], highway="service", access="private", service="driveway")
    extract.way(ways[3], highway="motorway")
    extract.way([ways[4][0]], highway="residential")
    extract.box(0, 50, 20, highway="footway", area="yes")
    square = extract.box(0, 90, 20, highway="pedestrian", area="yes")
    streets = read_osm(extract.write(extract.path), ["streets"])["streets"]
    assert streets["class"].tolist() == ["service", "motorway", "pedestrian"]
    assert streets["oneway"].tolist()[1] == "yes"
    ring = streets.geometry[streets["street_id"] == f"way/{square}"].iloc[0]
    assert ring.is_closed
    assert len(ring.coords) == 5
    counts = left_out(streets)
    assert sum(counts.values()) == 4
    assert {
        "built" in reason or "area" in reason or "platform" in reason or "short" in reason for reason in counts
    } == {True}
    reading = streets.attrs["reading"]
    assert reading["rows_read"] == reading["rows_kept"] + 4 == 7


def test_way_is_cut_where_nodes_are_not_in_the_file(extract):
    a, b, c, d, e = (extract.node(x, 0) for x in (0, 10, 20, 30, 40))
    way = extract.way([a, b, 999_001, c, d, 999_002, e], highway="primary")
    streets = read_osm(extract.write(extract.path), ["streets"])["streets"]
    assert [ids.tolist() for ids in streets["node_ids"]] == [[a, b], [c, d]]
    assert streets["street_id"].tolist() == [f"way/{way}"] * 2


def test_node_named_twice_in_a_row_is_one_vertex(extract):
    a, b, c = (extract.node(x, 0) for x in (0, 10, 20))
    extract.way([a, b, b, c], highway="primary")
    extract.way([a, a], highway="primary")
    streets = read_osm(extract.write(extract.path), ["streets"])["streets"]
    assert [ids.tolist() for ids in streets["node_ids"]] == [[a, b, c]]
    assert sum(left_out(streets).values()) == 1


@pytest.mark.parametrize(
    ("tags", "column", "value"),
    [
        ({"oneway": "1"}, "oneway", "yes"),
        ({"oneway": "reverse"}, "oneway", "-1"),
        ({"junction": "roundabout"}, "oneway", "yes"),
        ({}, "oneway", None),
        ({"maxspeed": "50"}, "speed_kmh", 50.0),
        ({"maxspeed": "30 mph"}, "speed_kmh", 30 * 1.609344),
        ({"maxspeed": "walk"}, "speed_kmh", None),
        ({"tunnel": "yes"}, "tunnel", True),
        ({"tunnel": "building_passage"}, "tunnel", False),
        ({"tunnel": "building_passage"}, "covered", True),
        ({"junction": "roundabout"}, "junction", "roundabout"),
        ({"cycleway": "opposite_lane"}, "cycleway", "opposite_lane"),
        ({"oneway:bicycle": "no"}, "oneway:bicycle", "no"),
        ({"oneway:foot": "yes"}, "oneway:foot", "yes"),
        ({"motorcar": "no"}, "motorcar", "no"),
        ({"ford": "yes"}, "ford", True),
        ({"bridge": "no"}, "bridge", False),
        ({"bridge": "viaduct"}, "bridge", True),
    ],
)
def test_street_tags(tags, column, value):
    assert RULES["streets"]({"highway": "residential", **tags})[column] == value


def test_who_may_go_where_is_read_from_the_file(extract):
    a, b, c, d = (extract.node(x, y) for x, y in ((0, 0), (40, 0), (40, 40), (0, 40)))
    extract.way([a, b, c, d, a], highway="tertiary", junction="roundabout")
    far = extract.node(140, 0)
    extract.way([b, far], highway="residential", oneway="yes", cycleway="opposite")
    square = extract.box(200, 0, 30, highway="pedestrian", area="yes")
    streets = read_osm(extract.write(extract.path), ["streets"])["streets"]
    graphs = {mode: StreetNetwork.from_streets(streets, mode=mode) for mode in ("walk", "cycle", "drive")}
    both = {mode: (n.graph.edge_forward & n.graph.edge_backward) for mode, n in graphs.items()}
    assert both["walk"].all()
    assert [len(both[mode]) for mode in ("walk", "cycle", "drive")] == [9, 5, 5]
    # round the roundabout one way; out of it and, by bicycle alone, back
    assert both["drive"].sum() == 0
    assert both["cycle"].sum() == 1
    assert f"way/{square}" in set(graphs["walk"].streets["street_id"])
    assert f"way/{square}" not in set(graphs["cycle"].streets["street_id"])


# ---- buildings -------------------------------------------------------------------------------------------------------


def test_buildings_from_ways_and_relations(extract):
    house = extract.box(
        0, 0, 10, building="apartments", building__levels="6", addr__street="长椿街", addr__housenumber="7"
    )
    extract.box(20, 0, 10, building="no")
    outer, inner = extract.box(40, 0, 20, building="yes"), extract.box(45, 5, 5)
    whole = extract.relation(
        [(outer, "outer"), (inner, "inner")], type="multipolygon", building="yes", amenity="school"
    )
    open_way = extract.way([extract.node(0, 50), extract.node(9, 50), extract.node(9, 59)], building="yes")
    half = extract.relation([(open_way, "outer")], type="multipolygon", building="house")
    buildings = read_osm(extract.write(extract.path), ["buildings"])["buildings"].set_index("building_id")
    assert buildings.index.tolist() == [f"way/{house}", f"relation/{whole}"]
    first = buildings.loc[f"way/{house}"]
    assert (first["use"], first["floors"], first["address"]) == ("apartments", 6, "长椿街 7")
    second = buildings.loc[f"relation/{whole}"]
    assert second["use"] == "school"
    assert len(shapely.get_parts(second.geometry)[0].interiors) == 1
    counts = left_out(buildings)
    assert counts["outer ring of a building that is there as a relation"] == 1
    assert counts["way that is not closed, too short, or not all in the file"] == 1
    reason = "relation whose rings do not close or whose members are not all in the file"
    assert counts[reason] == 1
    assert f"relation/{half}" in next(e["ids"] for e in buildings.attrs["reading"]["left_out"] if e["reason"] == reason)


def test_ring_that_crosses_itself_is_mended_and_counted(extract):
    a, b, c, d = extract.node(0, 0), extract.node(10, 10), extract.node(10, 0), extract.node(0, 10)
    bow = extract.way([a, b, c, d, a], building="yes")
    flat = [extract.node(x, 30) for x in (0, 10, 20)]
    extract.way([*flat, flat[0]], building="yes")
    buildings = read_osm(extract.write(extract.path), ["buildings"])["buildings"]
    assert buildings["building_id"].tolist() == [f"way/{bow}"]
    assert buildings.geometry.is_valid.all()
    assert buildings.geom_type.tolist() == ["MultiPolygon"]
    assert buildings.attrs["reading"]["mended"] == [
        {"what": "ring that crossed itself", "count": 1, "ids": [f"way/{bow}"]}
    ]
    assert left_out(buildings) == {"ring without any area": 1}


@pytest.mark.parametrize(
    ("text", "floors"), [("6", 6), ("4.5", 4.5), ("4;6", 6), ("-1", None), ("many", None), ("0", None), (None, None)]
)
def test_floors(text, floors):
    tags = {"building": "yes"} if text is None else {"building": "yes", "building:levels": text}
    assert RULES["buildings"](tags)["floors"] == floors


# ---- facilities, compounds, entrances, barriers, communities ---------------------------------------------------------


def test_facilities_from_nodes_ways_and_relations(extract):
    shop = extract.node(0, 0, shop="supermarket", name="超市", phone="010", opening_hours="24/7", operator="物美")
    extract.node(5, 5, amenity="police")
    extract.node(6, 6, amenity="place_of_worship")
    garden = extract.box(20, 0, 10, leisure="playground", access="private")
    park = extract.relation([(extract.box(50, 0, 30), "outer")], type="multipolygon", leisure="park")
    extract.way([extract.node(0, 90), extract.node(9, 90)], leisure="track")
    table = read_osm(extract.write(extract.path), ["facilities"])["facilities"].set_index("facility_id")
    assert table["category"].to_dict() == {
        f"node/{shop}": "supermarket", f"way/{garden}": "playground", f"relation/{park}": "park",
    }  # fmt: skip
    first = table.loc[f"node/{shop}"]
    assert (first["name"], first["phone"], first["opening_hours"], first["operator"]) == ("超市", "010", "24/7", "物美")
    assert table["public"].tolist() == [True, False, True]
    assert sum(left_out(table).values()) == 1


def test_every_category_has_names_and_can_be_found():
    categories, by_tag = facility_categories()
    assert len(categories) >= 20
    assert all(c.name_en and c.name_zh and not c.name_zh.isascii() for c in categories.values())
    assert set(by_tag.values()) <= set(categories)
    assert {key for key, _ in by_tag} <= set(KEYS["facilities"])
    for (key, value), category in by_tag.items():
        assert RULES["facilities"]({key: value})["category"] == category
    assert not {"police", "place_of_worship"} & set(by_tag.values())


def test_entrances_belong_to_the_outlines_they_lie_on(extract):
    corner = [
        extract.node(0, 0),
        extract.node(50, 0),
        extract.node(100, 0),
        extract.node(100, 100),
        extract.node(0, 100),
    ]
    compound = extract.way([*corner, corner[0]], landuse="residential", name="柳岸小区")
    extract.nodes[1][3].update(barrier="gate")
    shut = extract.node(100.4, 50, barrier="lift_gate", access="no")
    door = extract.node(20, 30, entrance="main")
    ring = [door, extract.node(30, 30), extract.node(30, 40), extract.node(20, 40)]
    house = extract.way([*ring, door], building="school", amenity="school")
    extract.node(200, 200, barrier="gate")
    # a gate on nothing but a building is that building's, a door on nothing but a compound that compound's
    yard = [extract.node(60, 30, barrier="gate"), extract.node(70, 30), extract.node(70, 40)]
    shed = extract.way([*yard, yard[0]], building="shed")
    wicket = extract.node(0, 50, entrance="yes")
    found = read_osm(extract.write(extract.path), ["entrances", "compounds"])
    entrances = found["entrances"]
    assert set(found) == {"entrances", "compounds"}
    assert found["compounds"]["compound_id"].tolist() == [f"way/{compound}"]
    assert sorted(map(tuple, entrances[["entrance_id", "of", "of_id", "open"]].to_numpy().tolist())) == sorted(
        [
            (f"node/{corner[1]}", "compound", f"way/{compound}", True),
            (f"node/{shut}", "compound", f"way/{compound}", False),
            (f"node/{door}", "building", f"way/{house}", True),
            (f"node/{door}#2", "facility", f"way/{house}", True),
            (f"node/{yard[0]}", "building", f"way/{shed}", True),
            (f"node/{wicket}", "compound", f"way/{compound}", True),
        ]
    )
    assert left_out(entrances) == {"gate or door on no outline of a compound, building or facility": 1}


def test_compounds_are_named_or_walled_and_not_a_whole_quarter(extract):
    named = extract.box(0, 0, 100, landuse="residential", name="小区")
    walled = extract.box(200, 0, 100, landuse="residential", barrier="wall")
    extract.box(400, 0, 100, landuse="residential")
    extract.box(1000, 0, 2000, landuse="residential", name="Quarter")
    compounds = read_osm(extract.write(extract.path), ["compounds"])["compounds"]
    assert compounds["compound_id"].tolist() == [f"way/{named}", f"way/{walled}"]
    assert left_out(compounds) == {"residential area above 0.5 km2: a quarter, not a compound": 1}


def test_barriers_by_kind_and_hardness(extract):
    def line(y, **tags):
        extract.way([extract.node(0, y), extract.node(50, y)], **tags)

    line(0, waterway="river")
    line(1, waterway="canal", tunnel="culvert")
    line(2, railway="rail")
    line(3, railway="rail", bridge="yes")
    line(4, railway="subway", tunnel="yes")
    line(5, barrier="wall")
    line(6, barrier="hedge")
    line(7, waterway="stream")
    extract.box(0, 100, 50, natural="water")
    barriers = read_osm(extract.write(extract.path), ["barriers"])["barriers"]
    assert list(zip(barriers["kind"], barriers["hard"], barriers.geom_type, strict=True)) == [
        ("river", True, "LineString"), ("railway", True, "LineString"), ("railway", False, "LineString"),
        ("wall", False, "LineString"), ("hedge", False, "LineString"), ("water", True, "Polygon"),
    ]  # fmt: skip
    assert left_out(barriers) == {"barrier below ground": 2}


def test_communities_are_the_lowest_level(extract):
    extract.box(0, 0, 100, boundary="administrative", admin_level="8", name="District")
    extract.box(0, 0, 50, boundary="administrative", admin_level="10", name="柳岸社区")
    extract.box(0, 0, 50, place="neighbourhood", name="Place")
    communities = read_osm(extract.write(extract.path), ["communities"])["communities"]
    assert communities["name"].tolist() == ["柳岸社区"]
    assert communities.attrs["reading"]["admin_level"] == 10
    assert left_out(communities) == {"area of a level above the lowest communities": 2}


def test_tables_without_any_row_have_the_columns_of_full_ones(extract):
    extract.node(0, 0)
    tables = read_osm(extract.write(extract.path), ALL)
    assert set(tables) == set(ALL)
    for name, table in tables.items():
        assert len(table) == 0
        assert isinstance(table, gpd.GeoDataFrame)
        assert table.crs == 4326, name
    assert {"class", "node_ids", "stairs"} <= set(tables["streets"].columns)
    assert {"of", "of_id"} <= set(tables["entrances"].columns)


# ---- bad files -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a.osm.pbf", "a.osm"])
@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "no such file"), (b"", "empty"), (b"this is not a map", "not a whole OpenStreetMap file")],
)
def test_bad_files_are_refused_with_a_remedy(tmp_path, name, content, words):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ReadError, match=words) as caught:
        read_streets(path)
    assert name in str(caught.value)


def test_extract_without_a_table_is_refused_where_the_table_is_needed(extract):
    extract.way([extract.node(0, 0), extract.node(9, 0)], highway="construction")
    path = extract.write(extract.path)
    for read, what in ((read_streets, "streets"), (read_buildings, "buildings"), (read_facilities, "facilities")):
        with pytest.raises(ReadError, match=f"no {what} in this extract"):
            read(path)
    with pytest.raises(ReadError, match="1 left out: highway that is not built"):
        read_streets(path)
    assert len(read_barriers(path)) == 0


def test_crs_and_columns_make_no_sense_for_extracts(extract):
    extract.box(0, 0, 9, building="yes")
    path = extract.write(extract.path)
    with pytest.raises(ReadError, match="always in EPSG:4326"):
        read_buildings(path, crs="GCJ-02")
    with pytest.raises(ReadError, match="no headings"):
        read_buildings(path, columns={"households": "x"})
    assert len(read_buildings(path, crs="EPSG:4326")) == 1


# ---- real cities -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def las_palmas(data_dir):
    path = data_dir / "las_palmas" / "las_palmas_20230221.osm.pbf"
    return read_osm(path, ("streets", "buildings", "facilities"))


def test_las_palmas_whole(las_palmas, data_dir):
    tables = las_palmas
    # The README of the data counts 22,599 buildings and 8,689 points of interest; some ways are open or cut off.
    assert 22_599 - 20 < len(tables["buildings"]) <= 22_599
    assert 3_000 < len(tables["facilities"]) < 8_689
    assert len(tables["streets"]) > 13_000
    households = pd.read_csv(data_dir / "las_palmas" / "households.csv")
    assert households["building_id"].isin(tables["buildings"]["building_id"]).all()
    assert tables["buildings"]["floors"].notna().sum() > 700
    assert tables["facilities"]["category"].nunique() >= 20


def test_las_palmas_streets_join_as_osm_says(las_palmas):
    streets = las_palmas["streets"]
    ids = np.concatenate(streets["node_ids"].to_list())
    xy = shapely.get_coordinates(streets.geometry)
    assert len(ids) == len(xy)
    # one node id, one place
    order = np.argsort(ids, kind="stable")
    same = ids[order][1:] == ids[order][:-1]
    assert (xy[order][1:][same] == xy[order][:-1][same]).all()


def test_beijing_names_are_chinese(data_dir):
    tables = read_osm(data_dir / "beijing_cau" / "map.osm.pbf", ["compounds", "streets"])
    names = tables["compounds"]["name"].dropna()
    assert len(names) >= 8
    assert names.str.contains(r"[\u4e00-\u9fff]").any()


def test_boundary_is_not_confused_with_places(data_dir):
    with pytest.raises(ReadError, match="no communities in this extract"):
        read_communities(data_dir / "beijing_tsinghua" / "map.osm.pbf")
