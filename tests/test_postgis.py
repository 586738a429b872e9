"""PostGIS in and out, on a real server: what comes back, what is refused and how, and no password anywhere."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from urllib.parse import quote

import geopandas as gpd
import numpy as np
import pandas as pd
import postgis_server
import pytest
from conftest import absent
from hypothesis import given
from hypothesis import strategies as st
from shapely import LineString, Point, box

import gridmap as gm
from gridmap.errors import OptionError, ReadError, WriteError
from gridmap.io.database import Address, dotted, is_database
from gridmap.io.fingerprints import table_hash
from gridmap.io.project import read_project, write_project
from gridmap.io.write.tables import write_table

CRS = 32650
X, Y = 500_000.0, 4_400_000.0
HOSTILE = ['we"ird; DROP TABLE kept', "a.b", "Houses", "楼栋", "it's", "sp ace", "%s $1 {0}"]


@pytest.fixture(scope="session")
def server():
    folder = postgis_server.programs()
    if folder is None:
        absent("PostgreSQL with PostGIS", postgis_server.REMEDY)
    with postgis_server.running(folder) as running:
        yield running


@pytest.fixture
def db(server):
    """An empty database of this test's own: `db("|layer=x")` is an address in it, `db.run` runs SQL."""
    server.run(
        "DROP SCHEMA IF EXISTS gis, plan, public CASCADE",
        "CREATE SCHEMA public",
        "CREATE SCHEMA gis",
        "CREATE EXTENSION IF NOT EXISTS postgis SCHEMA postgis",
    )

    def address(rest="", **options):
        return server.address(**options) + rest

    address.run = server.run
    return address


@pytest.fixture
def houses():
    return gpd.GeoDataFrame(
        {
            "building_id": ["007", "8"], "households": [12, 30], "name": ["柳岸", None], "use": ["a'b", 'c"d'],
            "share": [0.1, np.nan], "empty": [None, None],
        },
        geometry=[box(X, Y, X + 9, Y + 9), box(X + 20, Y, X + 29, Y + 9)],
        crs=CRS,
    )  # fmt: skip


def refusal(source, read=gm.read_buildings, **options):
    """The one error of a reading; it must hold no trace of the password."""
    with pytest.raises(ReadError) as caught:
        read(source, **options)
    told = "".join(str(e) for e in (caught.value, caught.value.__cause__, caught.value.__context__) if e is not None)
    assert postgis_server.PASSWORD not in told
    assert quote(postgis_server.PASSWORD, safe="") not in told
    return str(caught.value)


@pytest.mark.parametrize("name", HOSTILE)
def test_tables_come_back_under_any_name(db, houses, name):
    db.run("CREATE TABLE kept (a int)")
    address = db(f"|layer={dotted('gis', name)}")
    shown = write_table(houses, address)
    back = gm.read_buildings(address)
    assert back["building_id"].tolist() == ["007", "8"]
    assert back["households"].tolist() == [12, 30]
    assert back["name"].iloc[0] == "柳岸"
    assert back["name"].isna().tolist() == back["share"].isna().tolist() == [False, True]
    assert back["use"].tolist() == houses["use"].tolist()
    assert back["empty"].isna().all()
    assert back.crs == CRS
    assert back.geometry.to_wkb().tolist() == houses.geometry.to_wkb().tolist()
    assert postgis_server.PASSWORD not in shown
    assert back.attrs["reading"]["source"] == shown
    assert postgis_server.PASSWORD not in json.dumps(back.attrs["reading"])
    assert db.run("SELECT count(*) FROM kept") == [(0,)]
    listed = db.run("SELECT type, srid, f_geometry_column FROM geometry_columns WHERE f_table_schema = 'gis'")
    assert listed == [("POLYGON", CRS, "geometry")]


def test_each_reader_takes_a_table_called_as_its_own(db, houses):
    point = gpd.GeoDataFrame({"facility_id": ["1"], "category": ["school"]}, geometry=[Point(X, Y)], crs=CRS)
    line = gpd.GeoDataFrame({"class": ["path"]}, geometry=[LineString([(X, Y), (X + 9, Y)])], crs=CRS)
    tables = {
        "buildings": houses,
        "facilities": point,
        "streets": line.assign(node_ids=[np.array([1, 2**40])]),
        "barriers": line,
        "communities": houses.rename(columns={"building_id": "community_id"}),
        "compounds": houses.rename(columns={"building_id": "compound_id"}),
        "entrances": point.assign(entrance_id="1", of="building", of_id="007"),
    }
    for name, table in tables.items():
        write_table(table, db(f"|layer={name}"))
        assert len(getattr(gm, f"read_{name}")(db())) == len(table), name
    assert gm.read_streets(db())["node_ids"].iloc[0].tolist() == [1, 2**40]


def test_a_query_and_the_types_of_postgresql(db):
    db.run(
        "CREATE DOMAIN heads AS int CHECK (VALUE >= 0)",
        "CREATE TABLE t (building_id bigint PRIMARY KEY, households numeric, code numeric, fee money, tags text[],"
        " seen timestamptz, elderly heads, uid uuid, more jsonb, geom geography(Point, 4326))",
        "INSERT INTO t VALUES (2, 1.5, 110106001001000222333, 3.50, '{a,b}', '2024-01-02 00:00Z', 5,"
        " '00000000-0000-0000-0000-000000000001', '{\"k\": 1}', 'POINT(116.3 40)'),"
        " (1, NULL, 2, NULL, NULL, NULL, NULL, NULL, NULL, 'POINT(116.31 40)')",
    )
    back = gm.read_buildings(db("|layer=t"))
    assert back["building_id"].tolist() == ["1", "2"], "in the order of the primary key"
    assert back["households"].tolist()[1] == 1.5
    assert back["code"].tolist()[1] == "110106001001000222333", "longer than a float is exact"
    assert float(back["fee"].iloc[1]) == 3.5
    assert list(back["tags"].iloc[1]) == ["a", "b"]
    assert json.loads(back["more"].iloc[1]) == {"k": 1}
    assert back["uid"].iloc[1].endswith("0001")
    assert back["seen"].iloc[1] == pd.Timestamp("2024-01-02", tz="UTC")
    assert back["elderly"].iloc[1] == 5
    assert back.crs == 4326
    query = "|sql=SELECT building_id AS nr, 7 AS 总户数, geom::geometry FROM t WHERE households > 1 -- no more;"
    some = gm.read_buildings(db(query), columns={"building_id": "nr"})
    assert some[["building_id", "households"]].to_numpy().tolist() == [["2", 7]]
    plain = gm.read_buildings(db("|sql=SELECT 'a' AS building_id, 116.3::numeric AS lon, 40.0 AS lat"))
    assert plain.geometry.iloc[0].equals(Point(116.3, 40))
    arcs = (
        "SELECT 1 AS building_id, ST_GeomFromText('CURVEPOLYGON(CIRCULARSTRING(0 0, 2 2, 4 0, 2 -2, 0 0))', 32650) AS g"
    )
    assert gm.read_buildings(db(f"|sql={arcs}")).area.iloc[0] == pytest.approx(np.pi * 4, rel=1e-2)


def test_names_that_are_nearly_right(db, houses):
    write_table(houses, db("|layer=gis.houses_2024"))
    assert "did you mean gis.houses_2024? Write |layer=gis.houses_2024." in refusal(db("|layer=house_2024"))
    assert "did you mean gis.houses_2024?" in refusal(db("|layer=Houses_2024"))
    assert "did you mean gis.houses_2024?" in refusal(db("|layer=public.houses_2024"))
    assert "the database has gis.houses_2024. Write |layer=schema.table." in refusal(db("|layer=zzz"))
    with pytest.raises(OptionError, match="does not name a table"):
        gm.read_buildings(db("|layer=a.b.c"))


def test_servers_that_do_not_let_one_in(db):
    assert "the database cannot be reached" in refusal("postgresql://planner@127.0.0.1:1/town")
    wrong = refusal(db(password="wrong-one"))  # noqa: S106
    assert "the server refuses this user or password" in wrong
    assert "wrong-one" not in wrong
    assert "the server knows no such database or role" in refusal(db(database="tawn"))
    assert "cannot be reached" in refusal("postgresql://u:p@ss@[::1/town?sslmode=never")


def test_passwords_from_the_environment(db, houses, monkeypatch, tmp_path):
    write_table(houses, db("|layer=buildings"))
    bare = db(password=None)
    monkeypatch.delenv("PGPASSWORD", raising=False)
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "none"))
    assert "the server refuses this user or password" in refusal(bare)
    monkeypatch.setenv("PGPASSWORD", postgis_server.PASSWORD)
    assert len(gm.read_buildings(bare)) == 2
    monkeypatch.delenv("PGPASSWORD")
    secret = tmp_path / "pgpass"
    secret.write_text("*:*:*:planner:" + postgis_server.PASSWORD.replace(":", "\\:"), encoding="utf-8")
    secret.chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(secret))
    assert len(gm.read_buildings(bare)) == 2
    port = Address.parse(bare).shown.split(":")[-1].partition("/")[0]
    for name, value in {"PGHOST": "127.0.0.1", "PGPORT": port, "PGUSER": "planner", "PGDATABASE": "town"}.items():
        monkeypatch.setenv(name, value)
    assert len(gm.read_buildings("postgresql://")) == 2
    assert len(gm.read_buildings("postgresql:///town|layer=public.buildings")) == 2


POINT, AREA = "'SRID=32650;POINT(1 1)'", "'SRID=32650;POLYGON((0 0,1 0,1 1,0 0))'"
LINE, FACE = "'SRID=32650;LINESTRING(0 0,1 1)'", "'SRID=32650;TIN(((0 0 0,0 0 1,0 1 0,0 0 0)))'"
GEOMETRIES = {
    "none": ("id int", ["1"], "no geometry column, nor columns of coordinates, among: id"),
    "two": (
        "id int, shape geometry, door geometry",
        [f"1, {AREA}, {POINT}"],
        "the table has 2 geometry columns: shape, door. Choose one: 'postgresql://...|sql=",
    ),
    "unstated": ("id int, g geometry", ["1, 'POINT(1 1)'"], "g has the SRID 0, which does not say what its coord"),
    "several srids": (
        "id int, g geometry",
        [f"1, {POINT}", "2, 'SRID=4490;POINT(1 1)'"],
        "g mixes the SRIDs 4490 (1 rows), 32650 (1 rows). Bring them into one",
    ),
    "strange srid": ("id int, g geometry", ["1, 'SRID=990001;POINT(1 1)'"], "the SRID 990001 of its geometry is not"),
    "mixed": (
        "id int, g geometry",
        [f"1, {AREA}", f"2, {POINT}", f"3, {LINE}"],
        "g mixes 1 LineString, 1 Point, 1 Polygon; buildings are Point or Polygon. Take one kind",
    ),
    "surface": ("id int, g geometry", [f"1, {FACE}"], "g holds geometry that cannot be read"),
}


@pytest.mark.parametrize("case", GEOMETRIES)
def test_geometry_that_will_not_do(db, case):
    columns, rows, expected = GEOMETRIES[case]
    db.run(f"CREATE TABLE buildings ({columns})", *(f"INSERT INTO buildings VALUES ({row})" for row in rows))  # noqa: S608
    assert expected in refusal(db())


def test_a_srid_of_nought_is_what_the_user_says(db):
    db.run("CREATE TABLE buildings (id int, g geometry)", "INSERT INTO buildings VALUES (1, 'POINT(116.3 40)')")
    assert gm.read_buildings(db(), crs=4490).crs == 4490
    assert gm.read_buildings(db(), crs="GCJ-02").geometry.iloc[0].distance(Point(116.3, 40)) > 1e-4


@pytest.mark.parametrize(
    "query",
    ["SELEC 1", "DELETE FROM kept", "SELECT 1) q; DROP TABLE kept; --", "SELECT 1; DROP TABLE kept",
     "WITH gone AS (DELETE FROM kept RETURNING *) SELECT * FROM gone", "SELECT nothing FROM kept",
     "SELECT 1 AS a, 2 AS a", "SELECT 1/0 AS building_id", "SELECT nextval('counter')"],
)  # fmt: skip
def test_queries_that_are_refused_change_nothing(db, query):
    db.run("CREATE TABLE kept (a int)", "INSERT INTO kept VALUES (1)", "CREATE SEQUENCE counter")
    message = refusal(db(f"|sql={query}"))
    assert "SQLSTATE" not in message
    assert db.run("SELECT count(*) FROM kept") == [(1,)]


def test_a_writing_is_seen_whole_or_not_at_all(db, houses):
    address = db("|layer=gis.houses")
    write_table(houses, address)
    # the second layer fails after the first is complete
    broken = pd.DataFrame({"a": ["zero \0 byte"]})
    with pytest.raises(WriteError, match="Nothing was changed"):
        write_project(db("|schema=gis"), tables={"houses": houses.assign(households=0), "more": broken})
    assert gm.read_buildings(address)["households"].tolist() == [12, 30]
    seen = set()
    done = threading.Event()

    def watch():
        while not done.is_set():
            rows = db.run("SELECT count(*), sum(households)::int FROM gis.houses")
            seen.add(rows[0])

    watcher = threading.Thread(target=watch)
    watcher.start()
    many = pd.concat([houses] * 300, ignore_index=True)
    for times in range(3):
        write_table(many.assign(households=times), address)
        write_table(houses, address)
    done.set()
    watcher.join()
    assert seen <= {(2, 42), (600, 0), (600, 600), (600, 1200)}
    left = db.run("SELECT relname::text FROM pg_class WHERE relname ~ '^gridmap_(new|staged)'")
    assert left == []


def test_rights_and_views_of_a_table_stay_where_its_columns_do(db, houses):
    address = db("|layer=gis.houses")
    write_table(houses, address)
    db.run(
        "CREATE VIEW gis.large AS SELECT * FROM gis.houses WHERE households > 20",
        "GRANT SELECT ON gis.houses TO PUBLIC",
    )
    write_table(houses.assign(households=[50, 60]), address)
    assert db.run("SELECT households FROM gis.large ORDER BY 1") == [(50,), (60,)]
    assert "=r/" in db.run("SELECT relacl::text FROM pg_class WHERE relname = 'houses'")[0][0]
    with pytest.raises(WriteError, match=r"Nothing was changed\. Remove what depends on the table first"):
        write_table(houses.assign(extra=1), address)
    assert gm.read_buildings(address)["households"].tolist() == [50, 60]
    with pytest.raises(WriteError, match=r"gis.large is a view, which is not replaced"):
        write_table(houses, db("|layer=gis.large"))


@contextmanager
def held(db, table):
    """Another session that holds a table."""
    from adbc_driver_postgresql import dbapi

    with dbapi.connect(db()) as connection, connection.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        yield
        connection.rollback()


def test_a_table_that_another_session_holds(db, houses, monkeypatch):
    monkeypatch.setattr("gridmap.io.database._PATIENCE", 1)
    write_table(houses, db("|layer=buildings"))
    with held(db, "buildings"):
        assert "Another session holds the table" in refusal(db())
        with pytest.raises(WriteError, match="Another session holds the table"):
            write_table(houses, db("|layer=buildings"))
    assert len(gm.read_buildings(db())) == 2


def test_what_cannot_be_written(db, houses, server):
    with pytest.raises(WriteError, match=r"no schema 'gys'. Make it first"):
        write_table(houses, db("|layer=gys.houses"))
    with pytest.raises(OptionError, match="name the table to write"):
        write_table(houses, db())
    with pytest.raises(OptionError, match="1 to 63 bytes"):
        write_table(houses.rename(columns={"name": "名" * 22}), db("|layer=houses"))
    with pytest.raises(WriteError, match="2 geometry columns"):
        write_table(houses.assign(door=houses.centroid), db("|layer=houses"))
    odd = houses.set_crs("+proj=tmerc +lon_0=116.35 +ellps=GRS80", allow_override=True)
    with pytest.raises(WriteError, match="does not know the CRS"):
        write_table(odd, db("|layer=houses"))
    server.run("DROP DATABASE IF EXISTS bare", database="postgres")
    server.run("CREATE DATABASE bare", database="postgres")
    with pytest.raises(WriteError, match="the database has no PostGIS"):
        write_table(houses, db("|layer=houses", database="bare"))
    assert write_table(houses.drop(columns="geometry"), db("|layer=houses", database="bare"))


def test_a_project_as_a_schema(db, houses):
    tables = {"buildings": houses, "communities": houses.rename(columns={"building_id": "community_id"})}
    assert write_project(db("|schema=plan"), tables=tables) == Address.parse(db("|schema=plan")).shown
    back = read_project(db("|schema=plan"))
    assert set(back.tables) == set(tables)
    assert back.tables["buildings"]["households"].tolist() == [12, 30]
    assert postgis_server.PASSWORD not in repr(back)
    assert "no table there is called as ours" in refusal(db("|schema=none"), read_project)
    assert "name the schema" in refusal(db(), read_project)
    with pytest.raises(OptionError, match="name the schema"):
        write_project(db(), tables=tables)


def test_a_project_file_names_tables_of_a_database(db, houses, tmp_path, monkeypatch):
    write_table(houses, db("|layer=gis.houses"))
    path = tmp_path / "PROJECT.toml"
    address = db("|layer=gis.houses").replace(quote(postgis_server.PASSWORD, safe=""), "${TOWN_SECRET}")
    path.write_text(f"[inputs]\nbuildings = '{address}'\n", encoding="utf-8")
    monkeypatch.delenv("TOWN_SECRET", raising=False)
    assert "needs the environment variable TOWN_SECRET" in refusal(path, read_project)
    monkeypatch.setenv("TOWN_SECRET", quote(postgis_server.PASSWORD, safe=""))
    loaded = read_project(path)
    assert loaded.tables["buildings"]["households"].tolist() == [12, 30]
    assert postgis_server.PASSWORD not in repr(loaded)


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0|"), min_size=1, max_size=20))
def test_no_password_is_ever_shown(secret):
    raw = Address.parse(f"postgresql://ann:{quote(secret, safe='')}@db:5433/town|layer=a.b")
    assert raw.shown == "postgresql://ann@db:5433/town|layer=a.b"
    assert repr(raw).count("postgresql://") == 1
    assert quote(secret, safe="") in raw.uri
    said = Address.parse(f"postgresql://ann@db:5433/town?password={quote(secret, safe='')}&sslmode=require")
    assert said.shown == "postgresql://ann@db:5433/town"
    assert "sslmode=require" in said.uri


@given(
    st.lists(
        st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=9), min_size=2, max_size=2
    )
)
def test_any_name_is_found_again(names):
    address = Address("", "", layer=dotted(*names))
    assert address.relation("") == tuple(names)


def test_what_is_an_address():
    assert is_database("postgresql://h/d")
    assert is_database("postgres:/h/d"), "as a Path spells it"
    assert not is_database("postgresql.gpkg")
    assert Address.parse("postgresql:///town").shown == "postgresql:///town"
    assert Address.parse("postgresql://a:b@c:/@h/d").shown == "postgresql://a@h/d"
    with pytest.raises(OptionError) as caught:
        Address.parse("postgresql://h/secret@e")
    assert "secret" not in str(caught.value)


def test_without_the_driver_the_remedy_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "adbc_driver_postgresql", None)
    assert "pip install 'gridmap-planner[postgis]'" in refusal("postgresql://h/d")


def test_the_tables_of_the_sample_town_come_back_from_one_schema(db, sample_dir):
    given = read_project(sample_dir / "project.toml").tables
    write_project(db("|schema=plan"), tables=given)
    back = read_project(db("|schema=plan")).tables
    assert {name: table_hash(table) for name, table in back.items()} == {
        name: table_hash(table) for name, table in given.items()
    }
