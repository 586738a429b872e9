"""The synthetic town: its totals, its ground, its faults, and that the script writes the committed files."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib

import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd
import pytest
import shapely

from gridmap.tables.contracts import check_table

OLD_QUARTER, ANJU, VILLAGE = "990101001002", "990101001003", "990101001205"
NOT_LANES = ("老街", "和平路", "金河路", "文昌街", "滨河北路")
LAYERS = ("communities", "compounds", "streets", "barriers", "facilities", "dedicated", "grids_present")
SHEETS = ("units", "entrances")


def _read(folder):
    tables = {name: gpd.read_file(folder / f"{name}.geojson") for name in LAYERS}
    tables["buildings"] = gpd.read_file(folder / "buildings.gpkg")
    for name in SHEETS:
        tables[name] = pd.read_csv(folder / f"{name}.csv", dtype={"building_id": str, "of_id": str})
    entrances = tables["entrances"]
    points = gpd.points_from_xy(entrances.pop("x"), entrances.pop("y"), crs=tables["buildings"].crs)
    tables["entrances"] = gpd.GeoDataFrame(entrances, geometry=points)
    return tables


@pytest.fixture(scope="module")
def town(sample_dir):
    return _read(sample_dir)


@pytest.fixture(scope="module")
def doors(town):
    """The buildings as points on their surface."""
    return town["buildings"].set_geometry(town["buildings"].representative_point())


def _overlaps(shapes, least=1e-4):
    """Pairs of shapes that share more than `least` m²."""
    shapes = np.asarray(shapes)
    a, b = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    a, b = a[a < b], b[a < b]
    return int((shapely.area(shapely.intersection(shapes[a], shapes[b])) > least).sum())


def _within(doors, shapes, column):
    """For each building the first shape that holds it, None where none does."""
    joined = gpd.sjoin(doors[["building_id", "geometry"]], shapes[[column, "geometry"]], predicate="within")
    return joined.drop_duplicates("building_id").set_index("building_id")[column].reindex(doors["building_id"])


# -- totals ------------------------------------------------------------------------------------------------------------


def test_households_by_community(town):
    households = town["buildings"].groupby("community_id")["households"].sum()
    assert abs(households["990101001001"] - 4200) <= 60
    assert households[OLD_QUARTER] == 1671
    assert abs(households[ANJU] - 2450) <= 100
    assert households[VILLAGE] >= 600
    given = town["communities"].set_index("community_id")["households"]
    assert (given == households).all()


def test_old_quarter_has_13_lanes_and_its_area(town):
    lanes = town["streets"][town["streets"]["name"].str.fullmatch("和平巷.+巷", na=False)]
    assert lanes["name"].nunique() == lanes["name_en"].nunique() == 13
    quarter = town["communities"].set_index("community_id").geometry[OLD_QUARTER]
    assert abs(quarter.area - 72_000) <= 0.02 * 72_000
    assert lanes.within(quarter.buffer(0.02)).all()


def test_markets_have_their_shopfronts(town):
    markets = town["facilities"][town["facilities"]["shops"].notna()]
    assert sorted(markets["shops"]) == [278, 363]
    halls = town["buildings"][town["buildings"]["use"] == "market"]
    inside = _within(halls.set_geometry(halls.representative_point()), markets, "facility_id")
    counted = halls.set_index("building_id")["shops"].groupby(inside).sum()
    assert counted.to_dict() == markets.set_index("facility_id")["shops"].to_dict()


def test_every_kind_of_community_is_there(town):
    assert set(town["communities"]["kind"]) == {"urban", "rural", "resettlement", "old"}
    assert town["communities"]["code"].str.fullmatch(r"99\d{10}").all()
    groups = town["buildings"].loc[town["buildings"]["community_id"] == VILLAGE, "group"]
    assert groups.nunique() == 8
    assert groups.notna().all()


def test_counts_of_people_agree(town):
    b = town["buildings"]
    homes = b[b["households"] > 0]
    assert 2.2 < homes["residents"].sum() / homes["households"].sum() < 2.9
    assert (b["elderly"] + b["children"] <= b["residents"]).all()
    assert (b["elderly_80"] <= b["elderly"]).all()
    assert (b["households"] <= b["dwellings"]).all()
    assert (homes["residents"] >= homes["households"]).all()
    share = b.groupby("community_id")["elderly"].sum() / homes.groupby("community_id")["residents"].sum()
    assert share.between(0.1, 0.45).all()
    assert share[OLD_QUARTER] > 0.3


def test_units_add_up_to_their_building(town):
    units = town["units"]
    households = town["buildings"].set_index("building_id")["households"]
    assert (units.groupby("building_id")["households"].sum() == households[units["building_id"].unique()]).all()
    assert not units.duplicated(["building_id", "unit_id"]).any()


def test_one_tower_exceeds_the_limit_and_every_compound_can_be_kept_whole(town):
    large = town["buildings"][town["buildings"]["households"] > 500]
    assert large["name"].tolist() == ["安居大厦"]
    assert large["compound_id"].isna().all()
    assert (large["building_id"].isin(town["units"]["building_id"])).all()
    assert town["compounds"]["households"].max() <= 480


# -- ground ------------------------------------------------------------------------------------------------------------


def test_communities_tile(town):
    shapes = town["communities"].geometry.to_numpy()
    assert shapely.coverage_is_valid(shapes)
    together = shapely.coverage_union_all(shapes)
    assert together.geom_type == "Polygon"
    assert not together.interiors


def test_buildings_lie_clear_of_one_another_of_walls_and_of_streets(town):
    footprints = town["buildings"].geometry.to_numpy()
    assert shapely.is_valid(footprints).all()
    assert _overlaps(footprints) == 0
    tree = shapely.STRtree(footprints)
    for lines in (town["compounds"].geometry.exterior, town["streets"].geometry, town["barriers"].geometry):
        assert tree.query(np.asarray(lines), predicate="intersects").shape[1] == 0


def test_buildings_lie_in_the_community_and_compound_they_name(town, doors):
    own = _within(doors, town["communities"], "community_id").to_numpy()
    assert (own == doors["community_id"].to_numpy()).all()
    compound = _within(doors, town["compounds"], "compound_id")
    assert (compound.fillna("").to_numpy() == doors["compound_id"].fillna("").to_numpy()).all()
    assert _overlaps(town["compounds"].geometry) == 0


def test_every_compound_has_one_to_three_gates_on_its_wall(town):
    gates = town["entrances"][town["entrances"]["of"] == "compound"]
    walls = town["compounds"].set_index("compound_id").geometry.exterior
    assert set(gates["of_id"]) == set(walls.index)
    assert gates.groupby("of_id").size().between(1, 3).all()
    assert gates[gates["open"]].groupby("of_id").size().reindex(walls.index).ge(1).all()
    assert not gates["open"].all()
    far = shapely.distance(gates.geometry.to_numpy(), walls[gates["of_id"]].to_numpy())
    assert far.max() <= 0.02


def test_streets_cross_walls_only_at_gates(town):
    gates = shapely.union_all(town["entrances"].geometry.to_numpy())
    walls = town["compounds"].geometry.exterior.to_numpy()
    lines = town["streets"].geometry.to_numpy()
    wall, line = shapely.STRtree(lines).query(walls, predicate="intersects")
    for point in shapely.get_parts(shapely.intersection(walls[wall], lines[line])):
        assert point.distance(gates) <= 1.0


def test_entrances_name_what_is_there(town):
    ids = {"compound": set(town["compounds"]["compound_id"]), "facility": set(town["facilities"]["facility_id"])}
    assert all(i in ids[of] for of, i in zip(town["entrances"]["of"], town["entrances"]["of_id"], strict=True))
    assert set(town["entrances"]["of"]) == set(ids)


def test_two_bridges_and_one_underpass_join_the_town(town):
    streets = town["streets"]
    bridges, tunnels = streets[streets["bridge"]], streets[streets["tunnel"]]
    assert bridges["name"].tolist() == ["和平路", "人民路"]
    assert set(bridges["layer"]) == {"1"}
    assert len(tunnels) == 1
    assert set(tunnels["layer"]) == {"-1"}
    hard = town["barriers"][town["barriers"]["hard"]].geometry.to_numpy()
    level = streets[~streets["bridge"] & ~streets["tunnel"]].geometry.to_numpy()
    # a street may end at the railway; none crosses it
    assert shapely.STRtree(level).query(hard, predicate="crosses").shape[1] == 0
    assert _pieces(streets) == 1
    assert _pieces(streets[~streets["tunnel"]]) == 2
    assert _pieces(streets[~streets["bridge"]]) == 2


def _pieces(streets):
    graph = nx.Graph()
    for line in streets.geometry:
        nx.add_path(graph, [tuple(xy) for xy in shapely.get_coordinates(line).round(2)])
    return nx.number_connected_components(graph)


def test_village_is_reached_through_the_underpass_only(town):
    village = town["communities"].set_index("community_id").geometry[VILLAGE]
    crossing = town["streets"][town["streets"].crosses(village.exterior)]
    assert crossing["tunnel"].tolist() == [True]


# -- facilities and grids ----------------------------------------------------------------------------------------------


def test_facilities_cover_many_categories_and_leave_gaps(town, sample_dir):
    facilities = town["facilities"]
    known = set(pd.read_csv(sample_dir.parent / "gridmap" / "tables" / "categories.csv")["category"])
    assert set(facilities["category"]) <= known
    assert facilities["category"].nunique() >= 10
    assert set(facilities["status"]) == {"existing", "planned", "candidate"}
    assert facilities["name"].notna().all()
    assert facilities["name_en"].notna().all()
    assert facilities["phone"].dropna().str.startswith("000-").all()
    existing = facilities[facilities["status"] == "existing"]
    places = existing.set_geometry(existing.representative_point())
    community = gpd.sjoin(places, town["communities"][["community_id", "geometry"]])
    by_category = community.groupby("category")["community_id"].agg(set)
    assert not by_category["elderly_care"] & {OLD_QUARTER, ANJU, VILLAGE}
    assert OLD_QUARTER not in by_category["restaurant"]
    assert VILLAGE not in by_category["kindergarten"]
    assert not any(i in facilities["category"].unique() for i in ("hospital", "rail_station"))


def test_present_grids_have_their_faults(town, doors):
    grids = town["grids_present"]
    inside = gpd.sjoin(doors[["households", "geometry"]], grids[["grid_id", "geometry"]], predicate="within")
    households = inside.groupby("grid_id")["households"].sum()
    once = inside[~inside.index.duplicated()].groupby("grid_id")["households"].sum()
    assert (households != once).sum() == 1  # homes lie where two overlap, and both remain legal without them
    assert once[households != once].between(300, 500).all()
    basic = households[grids.loc[grids["kind"] == "basic", "grid_id"]].sort_values()
    assert 150 <= basic.iloc[0] <= 170
    assert 680 <= basic.iloc[-1] <= 720
    # everything else is legal but the grid that has the tower
    assert (basic.iloc[1:-2].between(300, 500)).all()
    assert _overlaps(grids.geometry, least=1.0) == 1  # drawn by hand: slivers do not count
    gap = shapely.difference(town["communities"].union_all(), grids.union_all())
    assert gap.area > 1000
    assert doors.within(gap).any()
    assert grids["responsible"].isna().all()
    assert (grids["kind"] == "dedicated").sum() == 1


def test_campus_is_dedicated(town):
    campus = town["dedicated"].geometry[0]
    wall = town["compounds"].set_index("name").geometry["金河师范学院"]
    assert campus.contains(wall)
    assert town["dedicated"]["kind"].tolist() == ["dedicated"]


# -- files -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "contract"),
    [*((n, n) for n in LAYERS[:5]), ("buildings", "buildings"), ("units", "units"), ("entrances", "entrances"),
     ("dedicated", "grids"), ("grids_present", "grids")],
)  # fmt: skip
def test_tables_keep_their_contract(town, name, contract):
    needs = ("households",) if contract in ("buildings", "units") else ()
    assert len(check_table(town[name], contract, needs=needs)) == len(town[name])


def test_project_names_files_that_are_there(sample_dir):
    project = tomllib.loads((sample_dir / "project.toml").read_text(encoding="utf-8"))
    for source in project["inputs"].values():
        assert (sample_dir / (source["path"] if isinstance(source, dict) else source)).is_file()
    assert set(project) == {"project", "inputs", "divide", "cover", "outputs"}


def test_excel_list_holds_the_same_buildings(town, sample_dir):
    rows = pd.read_excel(sample_dir / "buildings.xlsx", dtype={"楼栋编号": str})
    assert rows["楼栋编号"].tolist() == town["buildings"]["building_id"].tolist()
    assert rows["总户数"].tolist() == town["buildings"]["households"].tolist()
    points = shapely.points(rows[["X坐标", "Y坐标"]].to_numpy())
    assert shapely.distance(points, town["buildings"].geometry.to_numpy()).max() < 0.02


def test_files_are_small_and_say_that_they_are_synthetic(sample_dir, town):
    files = [p for p in sample_dir.rglob("*") if p.is_file() and "__pycache__" not in p.parts]
    assert sum(p.stat().st_size for p in files) < 3_000_000
    text = (sample_dir / "README.md").read_text(encoding="utf-8")
    assert "synthetic" in text.splitlines()[0]
    for file, rows in re.findall(r"^\| (\S+\.\w+) \| \w+ \| ([\d,]+) \|", text, flags=re.MULTILINE):
        name = file.split(".")[0]
        assert int(rows.replace(",", "")) == len(town[name]), file


def test_coordinates_are_whole_centimetres(town):
    for name in LAYERS:
        xy = shapely.get_coordinates(town[name].geometry.to_numpy())
        assert np.abs(xy - xy.round(2)).max() < 1e-6, name
        assert town[name].crs == "EPSG:4547"


def test_script_writes_the_committed_tables(sample_dir, town, tmp_path):
    subprocess.run([sys.executable, "-W", "error", str(sample_dir / "make_town.py"), str(tmp_path)], check=True)
    again = _read(tmp_path)
    for name, table in town.items():
        columns = [c for c in table.columns if c != "geometry"]
        pd.testing.assert_frame_equal(pd.DataFrame(again[name][columns]), pd.DataFrame(table[columns]), obj=name)
        if "geometry" in table:
            # another release of GEOS may round a crossing to the next centimetre
            apart = shapely.hausdorff_distance(again[name].geometry.to_numpy(), table.geometry.to_numpy())
            assert apart.max() <= 0.03, name
    rows, same = (pd.read_excel(folder / "buildings.xlsx") for folder in (tmp_path, sample_dir))
    pd.testing.assert_frame_equal(rows.iloc[:, :-2], same.iloc[:, :-2])
