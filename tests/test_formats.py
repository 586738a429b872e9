"""KML, DXF, File Geodatabase and zips: read as the planner who drew them meant them."""

from __future__ import annotations

import zipfile

import ezdxf
import geopandas as gpd
import pandas as pd
import pytest
import shapely
from shapely import box

from gridmap.errors import ReadError, TableError
from gridmap.io.read.readers import (
    read_barriers,
    read_buildings,
    read_communities,
    read_compounds,
    read_streets,
)

CRS = 4548
X, Y = 500_000.0, 4_400_000.0
RING = "116,40,5 116.1,40,5 116.1,40.1,5 116,40,5"
POLYGON = (
    f"<Polygon><outerBoundaryIs><LinearRing><coordinates>{RING}</coordinates></LinearRing></outerBoundaryIs></Polygon>"
)
POINT = "<Point><coordinates>116.05,40.05</coordinates></Point>"


def areas(count=2, **columns) -> gpd.GeoDataFrame:
    shapes = [box(X + 20 * i, Y, X + 20 * i + 10, Y + 10) for i in range(count)]
    data = {"community_id": [f"00{i}" for i in range(count)], "name": ["柳岸", "桥头"][:count], **columns}
    return gpd.GeoDataFrame(data, geometry=shapes, crs=CRS)


def mark(name="甲", shape=POLYGON, more=""):
    return f"<Placemark><name>{name}</name>{more}{shape}</Placemark>"


def kml(path, body, encoding="utf-8"):
    head = f'<?xml version="1.0" encoding="{encoding}"?><kml xmlns="http://www.opengis.net/kml/2.2"><Document>'
    text = f"{head}<name>all</name>{body}</Document></kml>"
    path.write_bytes(text.encode(encoding))
    return path


# ---- KML -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "gbk", "utf-16"])
def test_kml_columns_from_data_schema_and_description(tmp_path, encoding):
    data = '<ExtendedData><Data name="编号"><displayName>x</displayName><value>007</value></Data>'
    data += '<SchemaData schemaUrl="#s"><SimpleData name="总户数">1200</SimpleData></SchemaData></ExtendedData>'
    table = "<table><tr><td>title</td></tr><tr><td><table><tr><th>街道：</th><td>丰台 &amp; 东</td></tr>"
    table += "<tr><td>编号</td><td>008</td></tr><tr><td>empty</td><td></td></tr></table></td></tr></table>"
    path = kml(tmp_path / "a.kml", mark(more=f"{data}<description><![CDATA[{table}]]></description>"), encoding)
    read = read_compounds(path)
    assert read.crs == 4326
    row = read.iloc[0]
    # what is data wins over what is described; leading zeros stay; numbers are numbers; entities are resolved
    assert (row["compound_id"], row["name"], row["总户数"] if "总户数" in row else row["households"]) == (
        "007",
        "甲",
        1200,
    )
    assert row["街道"] == "丰台 & 东"
    assert row["empty"] is None
    assert not read.geometry.has_z.any()
    assert shapely.get_coordinates(read.geometry).tolist() == [[116, 40], [116.1, 40], [116.1, 40.1], [116, 40]]


def test_kml_descriptions_that_are_no_table_stay(tmp_path):
    path = kml(tmp_path / "a.kml", mark(more="<description>two &lt;b&gt;lines&lt;/b&gt;</description>"))
    assert read_communities(path)["description"].tolist() == ["two <b>lines</b>"]


def test_kml_folders(tmp_path):
    nested = f"<Folder><name>北</name>{mark('乙')}</Folder>"
    body = f"{mark('root')}<Folder><name>丰台</name>{mark('甲')}{nested}</Folder><Folder><name>empty</name></Folder>"
    path = kml(tmp_path / "a.kml", body)
    read = read_communities(path)
    assert read["name"].tolist() == ["root", "甲", "乙"]
    assert read["folder"].fillna("").tolist() == ["", "丰台", "丰台/北"]
    assert read_communities(f"{path}|layer=丰台")["name"].tolist() == ["甲", "乙"]
    assert read_communities(path, layer="丰台/北")["name"].tolist() == ["乙"]
    with pytest.raises(ReadError, match=r"no placemark in a folder '南'; the folders are: .*丰台, 北"):
        read_communities(path, layer="南")
    called = kml(tmp_path / "b.kml", f"{mark('x')}<Folder><name>communities</name>{mark('y')}</Folder>")
    assert read_communities(called)["name"].tolist() == ["y"]


def test_kml_of_mixed_shapes_counts_what_is_left_out(tmp_path):
    line = f"<LineString><coordinates>{RING}</coordinates></LineString>"
    label = f"<MultiGeometry>{POINT}{POLYGON}</MultiGeometry>"
    both = f"<MultiGeometry>{POLYGON}{POLYGON.replace('116', '117')}</MultiGeometry>"
    body = mark("a") + mark("b", line) + mark("c", label) + mark("d", both) + mark("e", "") + mark("f", POINT)
    body += "<NetworkLink><Link><href>http://example.org/a.kml</href></Link></NetworkLink>"
    path = kml(tmp_path / "a.kml", body)
    read = read_communities(path)
    assert read["name"].tolist() == ["a", "c", "d"]
    assert read.geom_type.tolist() == ["Polygon", "Polygon", "MultiPolygon"]
    reading = read.attrs["reading"]
    assert (reading["rows_read"], reading["rows_kept"]) == (6, 3)
    assert [(e["reason"], e["ids"]) for e in reading["left_out"]] == [
        ("LineString, which communities cannot be: close it in the drawing to have it", ["2"]),
        ("Point, which communities cannot be", ["6"]),
        ("entry of a drawing without a shape", ["5"]),
    ]
    assert reading["mended"][0]["ids"] == ["3"]
    assert reading["remarks"] == ["1 links to other files (NetworkLink) were not followed"]
    assert read_streets(path)["name"].tolist() == ["b"]
    with pytest.raises(TableError, match="geometry = Point; expected LineString"):
        read_streets(kml(tmp_path / "b.kml", mark("f", POINT)))


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ("<Point><coordinates>here</coordinates></Point>", r"placemark 1 \('甲'\).*a place without latitude"),
        ("<Point><coordinates>a,b</coordinates></Point>", r"placemark 1 \('甲'\) cannot be read \(could not convert"),
        ("<Point/>", "no coordinates"),
        ("<LineString><coordinates>1,2</coordinates></LineString>", "placemark 1"),
        ("<Polygon/>", "one outer ring"),
    ],
)
def test_kml_with_bad_coordinates_is_refused(tmp_path, shape, message):
    with pytest.raises(ReadError, match=message):
        read_buildings(kml(tmp_path / "a.kml", mark(shape=shape)))


def test_kml_with_infinite_coordinates_is_refused(tmp_path):
    with pytest.raises(TableError, match=r"infinite or NaN|missing"):
        read_buildings(kml(tmp_path / "a.kml", mark(shape="<Point><coordinates>nan,inf</coordinates></Point>")))


def test_kml_with_blanks_after_commas(tmp_path):
    path = kml(tmp_path / "a.kml", mark(shape="<Point><coordinates> 116.3, 40.1 ,0 </coordinates></Point>"))
    assert shapely.get_coordinates(read_buildings(path).geometry).tolist() == [[116.3, 40.1]]


def test_kml_that_is_none(tmp_path):
    path = tmp_path / "a.kml"
    for text, message in (
        ("<kml><Placemark>", "not a whole KML"),
        ("<kml/>", "no placemark; the folders are: none"),
        ("<a>" * 300 + "</a>" * 300, "more than 200 deep"),
    ):
        path.write_text(text)
        with pytest.raises(ReadError, match=message):
            read_buildings(path)


def test_kmz(tmp_path):
    kml(tmp_path / "doc.kml", mark("甲"))
    kml(tmp_path / "linked.kml", mark("linked"))
    with zipfile.ZipFile(tmp_path / "a.kmz", "w") as archive:
        archive.write(tmp_path / "linked.kml", "files/linked.kml")
        archive.write(tmp_path / "doc.kml", "doc.kml")
        archive.writestr("files/icon.png", b"x")
    read = read_communities(tmp_path / "a.kmz")
    assert read["name"].tolist() == ["甲"]
    assert read.attrs["reading"]["source"].endswith("a.kmz")


# ---- DXF -------------------------------------------------------------------------------------------------------------


def drawing(path, version, labels=(), encoding=None):
    """Two outlines, an open line, a filled one, and labels as (layer, text, x, y)."""
    document = ezdxf.new(version)
    if encoding is not None:
        document.header["$DWGCODEPAGE"], document.encoding = encoding
    space = document.modelspace()
    for i in (0, 20):
        corners = [(X + i, Y), (X + i + 10, Y), (X + i + 10, Y + 10), (X + i, Y + 10)]
        if version == "R12":
            space.add_polyline2d(corners, close=True, dxfattribs={"layer": "社区界"})
        else:
            space.add_lwpolyline(corners, close=True, dxfattribs={"layer": "社区界"})
            hatch = space.add_hatch(dxfattribs={"layer": "社区界"})
            hatch.paths.add_polyline_path(corners, is_closed=True)
    space.add_line((X, Y, 3), (X + 50, Y + 50, 3), dxfattribs={"layer": "road"})
    for layer, text, x, y in labels:
        space.add_text(text, height=1, dxfattribs={"layer": layer}).set_placement((X + x, Y + y))
    document.saveas(path)
    return path


@pytest.mark.parametrize(
    ("version", "encoding"), [("R12", ("ANSI_936", "gbk")), ("R2000", ("ANSI_936", "gbk")), ("R2010", None)]
)
def test_dxf_outlines_and_their_labels(tmp_path, version, encoding):
    labels = [
        ("community_id", "007", 5, 5),
        ("总户数", "1200", 5, 3),
        ("community_id", "008", 25, 5),
        ("x", "甲", 90, 0),
    ]
    path = drawing(tmp_path / "a.dxf", version, labels, encoding)
    with pytest.raises(
        TableError, match=r"no CRS \(x from 500000 to 500030, y from 4400000 to 4400010\)(.|\n)*Pass crs="
    ):
        read_compounds(path)
    read = read_communities(path, crs=CRS)
    assert read["community_id"].tolist() == ["007", "008"]
    assert read["drawing_layer"].tolist() == ["社区界"] * 2
    assert read.geometry.area.tolist() == [100, 100]
    assert read["总户数"].iloc[0] == 1200
    assert pd.isna(read["总户数"].iloc[1])
    # two labels in the first: neither is the name; one in the second
    assert read["name"].where(read["name"].notna(), None).tolist() == [None, "008"]
    reading = read.attrs["reading"]
    assert reading["labels"] == {"texts": 4, "in_no_outline": 1, "in_several_outlines": 0}
    left = {e["reason"]: e["count"] for e in reading["left_out"]}
    assert left.pop("LineString, which communities cannot be: close it in the drawing to have it") == 1
    assert left == ({} if version == "R12" else {"filling (HATCH), not an outline": 2})
    assert read_streets(f"{path}|layer=road", crs=CRS).geometry.length.tolist() == [pytest.approx(50 * 2**0.5)]
    assert not read_streets(f"{path}|layer=road", crs=CRS).has_z.any()
    with pytest.raises(ReadError, match=r"nothing is drawn on layer '网格'; the layers are: .*road.*社区界"):
        read_communities(f"{path}|layer=网格", crs=CRS)


def test_dxf_texts_in_gbk_that_name_no_code_page(tmp_path):
    path = drawing(tmp_path / "a.dxf", "R2000", [("0", "柳岸", 5, 5)], ("ANSI_936", "gbk"))
    path.write_bytes(path.read_bytes().replace(b"ANSI_936", b"ANSI_1252"))
    read = read_communities(path, crs=CRS)
    assert read["name"].iloc[0] == "柳岸"
    assert read["drawing_layer"].iloc[0] == "社区界"


def test_dxf_labels_in_two_outlines_or_two_in_one_name_none(tmp_path):
    labels = [("0", "甲", 5, 5), ("0", "乙", 6, 6)]
    path = drawing(tmp_path / "a.dxf", "R2010", labels)
    assert read_communities(path, crs=CRS)["name"].isna().all()
    document = ezdxf.readfile(path)
    document.modelspace().add_lwpolyline([(X, Y), (X + 40, Y), (X + 40, Y + 40)], close=True)
    document.modelspace().add_text("丙", height=1).set_placement((X + 25, Y + 5))
    document.saveas(path)
    read = read_communities(path, crs=CRS)
    assert len(read) == 3
    assert "name" not in read.columns or read["name"].isna().all()
    assert read.attrs["reading"]["labels"]["in_several_outlines"] == 3


def test_dxf_closed_lines_stay_lines_for_tables_of_lines(tmp_path):
    path = drawing(tmp_path / "a.dxf", "R2010")
    assert set(read_barriers(f"{path}|layer=社区界", crs=CRS).geom_type) == {"LineString"}


# ---- File Geodatabase, zips ------------------------------------------------------------------------------------------


def pack(path, folder, rename=str):
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(p for p in folder.rglob("*") if p.is_file()):
            archive.write(file, rename(file.relative_to(folder).as_posix()))
    return path


def test_geodatabase_as_a_folder_and_zipped(tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    table = areas().set_crs(4490, allow_override=True)
    table.geometry = table.geometry.translate(116 - X, 40 - Y)
    table.to_file(source / "city.gdb", driver="OpenFileGDB", layer="communities")
    table.iloc[:1].to_file(source / "city.gdb", driver="OpenFileGDB", layer="社区", mode="a")
    for path in (source / "city.gdb", pack(tmp_path / "city.gdb.zip", source)):
        read = read_communities(path)
        assert read["community_id"].tolist() == ["000", "001"]
        assert read["name"].tolist() == ["柳岸", "桥头"]
        assert read.crs == 4490
        assert len(read_communities(f"{path}|layer=社区")) == 1
        with pytest.raises(ReadError, match=r"2 layers \(communities, 社区\)"):
            read_buildings(path)
    (tmp_path / "empty.gdb").mkdir()
    with pytest.raises(ReadError, match="Copy the whole"):
        read_communities(tmp_path / "empty.gdb")
    (tmp_path / "file.gdb").write_bytes(b"x")
    with pytest.raises(ReadError, match="is a folder, this is a file"):
        read_communities(tmp_path / "file.gdb")


def test_zipped_shapefile_with_gbk_names_and_texts(tmp_path):
    source = tmp_path / "source" / "图层"
    source.mkdir(parents=True)
    areas().rename(columns={"community_id": "id"}).to_file(source / "社区.shp", encoding="gb18030")
    (source / "社区.cpg").unlink()

    # as Windows writes it: GBK bytes, and no word that they are
    class Gbk(zipfile.ZipInfo):
        def _encodeFilenameFlags(self):  # noqa: N802  # the name is zipfile's
            return self.filename.encode("gbk"), self.flag_bits

    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(source.iterdir()):
            archive.writestr(Gbk(f"图层\\{file.name}"), file.read_bytes())
    for choice in (path, f"{path}|layer=社区"):
        read = read_communities(choice)
        assert read["name"].tolist() == ["柳岸", "桥头"]
        assert read.crs == CRS


def test_zips_with_several_files(tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    areas().to_file(source / "old.gpkg")
    areas(1).rename(columns={"community_id": "id"}).to_file(source / "new.shp")
    path = pack(tmp_path / "a.zip", source)
    assert len(read_communities(path, layer="new")) == 1
    assert len(read_communities(path, layer="old.gpkg")) == 2
    with pytest.raises(ReadError, match=r"2 vector files \(new\.shp, old\.gpkg\).*'a\.zip\|layer=new'"):
        read_communities(path)
    areas(1).to_file(source / "communities.geojson")
    assert len(read_communities(pack(path, source))) == 1
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "x")
    with pytest.raises(ReadError, match="no vector file in it"):
        read_communities(path)


def test_shapefile_without_prj(tmp_path):
    areas().rename(columns={"community_id": "id"}).to_file(tmp_path / "a.shp")
    (tmp_path / "a.prj").unlink()
    with pytest.raises(TableError, match=r"no CRS \(x from 500000 to 500030.*Pass crs="):
        read_communities(tmp_path / "a.shp")
    assert read_communities(tmp_path / "a.shp", crs=CRS).crs == CRS
