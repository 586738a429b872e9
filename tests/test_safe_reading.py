"""Files made to harm: zips that swell or reach outside, XML with entities, texts that make GDAL open other files."""

from __future__ import annotations

import bz2
import gzip
import os
import stat
import zipfile

import geopandas as gpd
import openpyxl
import pytest
from shapely import box

from gridmap.errors import OptionError, ReadError
from gridmap.io.read import archives
from gridmap.io.read.readers import read_buildings, read_communities, read_plain_table, read_streets

CRS = 32650
LAUGHS = '<!DOCTYPE {root} [<!ENTITY a "ha">' + "".join(
    f'<!ENTITY {chr(98 + i)} "{("&" + chr(97 + i) + ";") * 10}">' for i in range(9)
) + "]>"  # fmt: skip
OUTSIDE = '<!DOCTYPE {root} [<!ENTITY j SYSTEM "file://{file}">]>'


def town(path, count=2):
    shapes = [box(500_000 + 20 * i, 4_400_000, 500_010 + 20 * i, 4_400_010) for i in range(count)]
    gpd.GeoDataFrame({"id": [f"0{i}" for i in range(count)]}, geometry=shapes, crs=CRS).to_file(path)
    return path


def zipped(path, members, **options):
    with zipfile.ZipFile(path, "w", **options) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize("name", ["../evil.shp", "/srv/evil.shp", "a/../../evil.shp", "..\\evil.shp", "C:\\evil.shp"])
def test_members_that_lead_out_of_the_folder(tmp_path, name):
    info = zipfile.ZipInfo("x")
    info.filename = name
    path = zipped(tmp_path / "a.zip", {info: b"x"})
    with pytest.raises(ReadError, match=r"a\.zip: .*evil\.shp' would be unpacked outside"):
        read_buildings(path)
    assert list(tmp_path.iterdir()) == [path]


def test_links_and_encrypted_members(tmp_path):
    link = zipfile.ZipInfo("a.shp")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with pytest.raises(ReadError, match=r"'a\.shp' is a link"):
        read_buildings(zipped(tmp_path / "a.zip", {link: b"/etc/passwd"}))
    path = zipped(tmp_path / "b.zip", {"a.shp": b"x"})
    data = bytearray(path.read_bytes())
    # the flag stands 6 bytes into the local header and 8 into the central one
    data[6] |= 1
    data[data.index(b"PK\1\2") + 8] |= 1
    path.write_bytes(data)
    with pytest.raises(ReadError, match=r"'a\.shp' is encrypted"):
        read_buildings(path)


def test_zips_that_swell(tmp_path, monkeypatch):
    bomb = zipped(tmp_path / "a.zip", {"a.gpkg": bytes(80 * 2**20)}, compression=zipfile.ZIP_DEFLATED)
    assert bomb.stat().st_size < 10**6
    unpacked = []
    monkeypatch.setattr(archives.shutil, "copyfileobj", lambda *_: unpacked.append(1))
    with pytest.raises(ReadError, match=r"a\.zip: unpacks to more than 0\.0625 GiB.*GRIDMAP_MAX_UNPACKED"):
        read_buildings(bomb)
    assert unpacked == []
    monkeypatch.undo()
    # a stated limit lifts that on the ratio; what is inside is still no GeoPackage
    monkeypatch.setenv(archives.LIMIT_VARIABLE, "1")
    with pytest.raises(ReadError, match=r"a\.zip.a\.gpkg: not a vector file"):
        read_buildings(bomb)
    monkeypatch.setenv(archives.LIMIT_VARIABLE, "0.01")
    with pytest.raises(ReadError, match=r"more than 0\.01 GiB"):
        read_buildings(bomb)
    for wrong in ("many", "-1", "nan"):
        monkeypatch.setenv(archives.LIMIT_VARIABLE, wrong)
        with pytest.raises(OptionError, match="GiB; set it to a number"):
            read_buildings(bomb)


def test_a_declared_size_is_not_believed(tmp_path):
    # a member that says it is 10 bytes long and holds 200 kB is broken, not unpacked
    path = zipped(tmp_path / "a.zip", {"a.gpkg": bytes(200_000)}, compression=zipfile.ZIP_DEFLATED)
    data = bytearray(path.read_bytes())
    at = data.index(b"PK\1\2") + 24
    data[at : at + 4] = (10).to_bytes(4, "little")
    path.write_bytes(data)
    with pytest.raises(ReadError, match="not a whole zip"):
        read_buildings(path)


def test_too_many_members_and_names_twice(tmp_path):
    with pytest.raises(ReadError, match=r"holds 10,001 files"):
        read_buildings(zipped(tmp_path / "a.zip", {f"{i}.txt": b"" for i in range(10_001)}))
    with pytest.raises(ReadError, match="two files in it have the same name"):
        read_buildings(zipped(tmp_path / "b.zip", {"a.shp": b"1", "A.SHP": b"2"}))


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress])
def test_streets_that_swell(tmp_path, pack):
    path = tmp_path / f"a.osm.{'gz' if pack is gzip.compress else 'bz2'}"
    path.write_bytes(pack(b"<osm>" + b" " * 70 * 2**20))
    with pytest.raises(ReadError, match="unpacks to more than"):
        read_streets(path)
    path.write_bytes(pack(os.urandom(1000))[:-20])
    with pytest.raises(ReadError, match=r"not a whole \.(gz|bz2) file"):
        read_streets(path)


@pytest.mark.parametrize("trap", [LAUGHS, OUTSIDE])
def test_kml_with_a_document_type(tmp_path, trap):
    secret = tmp_path / "secret.txt"
    secret.write_text("the secret")
    mark = "<Placemark><name>&j;</name><Point><coordinates>1,2</coordinates></Point></Placemark>"
    text = f"{trap.format(root='kml', file=secret)}<kml>{mark}</kml>"
    (tmp_path / "a.kml").write_text(text)
    for path in (tmp_path / "a.kml", zipped(tmp_path / "a.kmz", {"doc.kml": text})):
        with pytest.raises(ReadError, match=r"document type \('kml'\)") as caught:
            read_buildings(path)
        assert "the secret" not in str(caught.value)
        assert path.name in str(caught.value)


@pytest.mark.parametrize("trap", [LAUGHS, OUTSIDE])
def test_osm_with_a_document_type(tmp_path, trap):
    text = trap.format(root="osm", file="/etc/hostname")
    path = tmp_path / "a.osm"
    path.write_text(f'{text}<osm version="0.6"><node id="1" lat="1" lon="1"><tag k="amenity" v="&j;"/></node></osm>')
    with pytest.raises(ReadError, match="XML entities are not supported"):
        read_streets(path)


def workbook(path, **changed):
    """A workbook of one sheet, some of its parts changed by a function."""
    book = openpyxl.Workbook()
    for row in (["building_id", "households"], ["007", 5]):
        book.active.append(row)
    book.save(path)
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    for name, change in changed.items():
        full = next(p for p in parts if p.endswith(f"{name}.xml"))
        parts[full] = change(parts[full])
    return zipped(path, parts, compression=zipfile.ZIP_DEFLATED)


@pytest.mark.parametrize("part", ["sheet1", "workbook", "styles"])
@pytest.mark.parametrize("trap", [LAUGHS, OUTSIDE])
def test_excel_with_a_document_type(tmp_path, part, trap):
    assert read_plain_table("households", workbook(tmp_path / "a.xlsx"))["households"].tolist() == [5]
    text = trap.format(root="worksheet", file="/etc/hostname").encode()
    path = workbook(tmp_path / "a.xlsx", **{part: lambda xml: text + xml})
    with pytest.raises(ReadError, match=rf"{part}\.xml\): the XML declares a document type"):
        read_plain_table("households", path)


def test_excel_with_a_cell_at_the_end_of_the_world(tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["building_id", "households"])
    book.active["XFD1048576"] = "x"
    book.save(tmp_path / "a.xlsx")
    with pytest.raises(ReadError, match=r"sheet1\.xml reaches to XFD1048576, 17,179,869,184 cells.*Ctrl\+End"):
        read_plain_table("households", tmp_path / "a.xlsx")


def test_old_excel_under_a_new_name(tmp_path):
    path = tmp_path / "a.xlsx"
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600))
    with pytest.raises(ReadError, match="old Excel file under a new name, or one with a password"):
        read_plain_table("households", path)
    path.rename(tmp_path / "a.xls")
    with pytest.raises(ReadError, match="old Excel format"):
        read_plain_table("households", tmp_path / "a.xls")


@pytest.mark.parametrize("name", ["a.geojson", "a.gpkg", "a.shp", "a.fgb", "a.vrt", "a.gml"])
def test_texts_that_have_gdal_open_another_file(tmp_path, name):
    (tmp_path / "secret.csv").write_text("id,WKT\n1,POINT (1 2)\n")
    layer = (
        f"<OGRVRTDataSource><OGRVRTLayer name='secret'><SrcDataSource>{tmp_path / 'secret.csv'}</SrcDataSource>"
        "<GeometryType>wkbPoint</GeometryType></OGRVRTLayer></OGRVRTDataSource>"
    )
    traps = (
        layer,
        f'{{"type": "gdal_streamed_alg", "command_line": "gdal vector pipeline ! read {tmp_path / "secret.csv"}"}}',
    )
    for trap in traps:
        (tmp_path / name).write_text(trap)
        with pytest.raises(ReadError, match=r"not what \.\w+ says|are not read"):
            read_buildings(tmp_path / name, crs=4326)


def test_nothing_stays_in_the_temporary_folder(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "scratch"))
    (tmp_path / "scratch").mkdir()
    town(tmp_path / "a.shp")
    path = zipped(tmp_path / "a.zip", {p.name: p.read_bytes() for p in tmp_path.glob("a.*")})
    assert read_buildings(path)["building_id"].tolist() == ["00", "01"]
    with pytest.raises(ReadError, match=r"a\.zip.b\.shp: not a vector file"):
        read_communities(zipped(path, {"b.shp": b"\0\0\x27\x0a"}))
    assert list((tmp_path / "scratch").iterdir()) == []
