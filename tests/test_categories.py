"""Facility categories: one list from words, type codes, paths of types and tags; nothing lost that it does not know."""

from __future__ import annotations

import csv
import doctest
from importlib import resources

import geopandas as gpd
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import Point

from gridmap.errors import OptionError, ReadError
from gridmap.io.audit_sources import read_audit_sources
from gridmap.io.project import read_project
from gridmap.io.read.readers import read_facilities
from gridmap.tables import categories as categories_module
from gridmap.tables.categories import SCHEMES, categories, recognise, recognise_tags

ROWS = list(
    csv.DictReader(resources.files("gridmap.tables").joinpath("categories.csv").read_text("utf-8").splitlines())
)


def category(text):
    return recognise(pd.Series([text])).iloc[0]


def services(**columns) -> gpd.GeoDataFrame:
    count = len(next(iter(columns.values())))
    points = [Point(500_000 + i, 4_400_000) for i in range(count)]
    return gpd.GeoDataFrame({"facility_id": [f"f{i}" for i in range(count)], **columns}, geometry=points, crs=32650)


def test_examples_run():
    failed, tried = doctest.testmod(categories_module)
    assert tried
    assert not failed


def test_the_list_keeps_its_form():
    assert {r["scheme"] for r in ROWS} == set(SCHEMES)
    keys = [r["category"] for r in ROWS if r["scheme"] == "en"]
    assert len(set(keys)) == len(keys)
    assert {r["category"] for r in ROWS} - {""} == set(keys) == {r["category"] for r in ROWS if r["scheme"] == "zh"}
    values = [(r["scheme"] in ("word", "ending"), r["value"]) for r in ROWS if r["scheme"] not in ("en", "zh")]
    assert len(set(values)) == len(values)
    assert all(r["value"].isdecimal() and len(r["value"]) in (4, 6) for r in ROWS if r["scheme"] == "amap")


def test_every_row_of_the_list_is_recognised_as_it_says():
    for row in ROWS:
        if row["scheme"] in ("word", "ending"):
            assert category(row["value"]) == row["category"], row
        if row["scheme"] == "ending" and row["category"]:
            assert category("柳岸" + row["value"]) == row["category"], row
        if row["scheme"] in ("osm", "tag"):
            key, _, value = row["value"].partition("=")
            assert recognise_tags(pd.DataFrame({key: [value]})).iloc[0] == row["category"], row


# The classes of Amap as its table of types gives them, and as exports of Baidu read.
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("医疗保健服务;医药保健销售店;药房", "pharmacy"),
        ("医疗保健服务;药房;药房", "pharmacy"),
        ("医药保健销售店", "pharmacy"),
        ("购物服务;综合市场;综合市场", "market"),
        ("综合市场", "market"),
        ("购物服务;综合市场;旧货市场", ""),
        ("090601", "pharmacy"),
        ("90601", "pharmacy"),
        ("90601.0", "pharmacy"),
        ("医疗;药店", "pharmacy"),
        ("医疗；药店", "pharmacy"),
        ("医疗保健服务;综合医院;三级甲等医院", "hospital"),
        ("090101", "hospital"),
        ("090102", "health_centre"),
        ("医疗保健服务;综合医院;卫生院", "health_centre"),
        ("090300", "clinic"),
        ("医疗;诊所", "clinic"),
        ("医疗保健服务;动物医疗场所;宠物诊所", ""),
        ("医疗保健服务;动物医疗场所;动物医疗场所", ""),
        ("090700", ""),
        ("医疗保健服务;医药保健销售店;医疗保健用品", ""),
        ("科教文化服务;学校;幼儿园", "kindergarten"),
        ("141204", "kindergarten"),
        ("科教文化服务;学校;小学", "primary_school"),
        ("141203", "primary_school"),
        ("141202", "middle_school"),
        ("科教文化服务;学校;高等院校", ""),
        ("141201", ""),
        ("科教文化服务;学校;学校内部设施", ""),
        ("教育培训;中学", "middle_school"),
        ("购物服务;综合市场;农副产品市场", "market"),
        ("060703", "market"),
        ("购物服务;综合市场;小商品市场", ""),
        ("购物服务;综合市场;农副产品市场|购物服务;综合市场;水产海鲜市场", "market"),
        ("060703|060706", "market"),
        ("购物服务;便民商店/便利店;便民商店/便利店", "convenience"),
        ("060201", "convenience"),
        ("购物;超市", "supermarket"),
        ("购物服务;超级市场;家乐福", "supermarket"),
        ("生活服务;美容美发店;美容美发店", "hairdresser"),
        ("071500", "laundry"),
        ("公共设施;公共厕所;公共厕所", "toilets"),
        ("200300", "toilets"),
        ("风景名胜;公园广场;公园", "park"),
        ("110101", "park"),
        ("风景名胜;公园广场;公园内部设施", ""),
        ("交通设施服务;公交车站;公交车站相关", "bus_stop"),
        ("150702", "bus_stop"),
        ("交通设施服务;地铁站;出入口", ""),
        ("交通设施服务;地铁站;地铁站", "rail_station"),
        ("交通设施服务;停车场;公共停车场", ""),
        ("150500", "rail_station"),
        ("150501", ""),
        ("金融保险服务;银行;中国工商银行", "bank"),
        ("金融保险服务;自动提款机;自动提款机", ""),
        ("餐饮服务;快餐厅;肯德基", "restaurant"),
        ("餐饮服务;咖啡厅;咖啡厅", ""),
        ("商务住宅;住宅区;住宅小区", ""),
        ("120302", ""),
        ("餐饮服务;餐饮相关场所;餐饮相关", ""),
        ("999999", ""),
        ("1412", ""),
    ],
)
def test_types_of_map_services(text, expected):
    assert category(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("菜市场", "market"),
        ("柳岸菜市场", "market"),
        ("农贸市场", "market"),
        ("柳岸生鲜超市", "market"),
        ("联华超市", "supermarket"),
        ("联华超市（柳岸店）", "supermarket"),
        ("好德便利店", "convenience"),
        ("宠物超市", ""),
        ("建材超市", ""),
        ("柳岸社区卫生服务中心", "health_centre"),
        ("柳岸社区卫生服务站", "health_station"),
        ("柳岸社区服务站", "community_service"),
        ("柳岸社区党群服务中心", "community_centre"),
        ("柳岸路(公交站)", "bus_stop"),
        ("柳岸路公交车站", "bus_stop"),
        ("复旦大学附属中学", "middle_school"),
        ("复旦大学", ""),
        ("柳岸驾驶学校", ""),
        ("柳岸职业技术学校", ""),
        ("柳岸老年大学", ""),
        ("柳岸实验学校", "school"),
        ("柳岸小学", "primary_school"),
        ("阳光宠物医院", ""),
        ("柳岸口腔门诊部", "clinic"),
        ("社区食堂", "canteen"),
        ("柳岸老年助餐点", "elderly_canteen"),
        ("中国建设银行柳岸支行", "bank"),
        ("派出所", "police"),
        ("Pharmacy", "pharmacy"),
        ("Bus stop", "bus_stop"),
        ("PHARMACY", "pharmacy"),
        ("marketplace", "market"),
        ("kindergarten", "kindergarten"),
        ("food_market", "food_market"),
        ("  药店 ", "pharmacy"),
        ("药店", "pharmacy"),
        ("", ""),
        ("便民点", ""),
        ("banker", ""),
        ("station", ""),
        ("centre", ""),
        ("bus", ""),
    ],
)
def test_plain_words(text, expected):
    assert category(text) == expected


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=30))
def test_any_text_is_a_category_of_the_list_or_none(text):
    assert category(text) in {"", *categories().names}


def test_what_is_not_recognised_is_kept_counted_and_shown():
    read = read_facilities(services(设施类型=["菜市场", "便民点", "药房", "便民点"]))
    assert read["category"].tolist() == ["market", "便民点", "pharmacy", "便民点"]
    assert read.attrs["reading"]["categories"] == {
        "from": "words", "recognised": {"market": 1, "pharmacy": 1}, "own_words_rows": 2, "own_words": {"便民点": 2},
    }  # fmt: skip


def test_tags_in_columns_give_categories():
    read = read_facilities(services(amenity=["bank", None, "cafe"], shop=[None, "supermarket", None]))
    assert read["category"].tolist() == ["bank", "supermarket", "cafe"]
    assert read.attrs["reading"]["categories"]["from"] == "tags: amenity, shop"
    pairs = read_facilities(services(key=["public_transport", "amenity"], value=["platform", "atm"]))
    assert pairs["category"].tolist() == ["bus_stop", "atm"]


def test_a_data_file_extends_the_list_and_wins(tmp_path):
    table = services(类别=["菜市场", "菜鸟", "220100", "我的店", "柳岸书吧"], name=list("abcde"))
    path = tmp_path / "own.csv"
    path.write_text(
        "category,scheme,value\ncorner,word,我的店\nmarket_hall,,菜市场\ncorner,en,Corner shop\ncorner,zh,街角店\n"
        "parcel,word,菜鸟\ndepot,amap,2201\nlibrary,ending,书吧\n",
        encoding="utf-8",
    )
    own = ["market_hall", "parcel", "depot", "corner", "library"]
    assert read_facilities(table, categories=path)["category"].tolist() == own
    assert read_facilities(table, categories=pd.read_csv(path))["category"].tolist() == own
    assert read_facilities(table)["category"].tolist() == ["market", "菜鸟", "220100", "我的店", "柳岸书吧"]
    assert read_facilities(table, categories={"我的店": "corner"})["category"].tolist()[3] == "corner"
    table.to_file(tmp_path / "services.gpkg")
    (tmp_path / "p.toml").write_text(
        '[inputs]\nfacilities = {path = "services.gpkg", categories = "own.csv"}\n', encoding="utf-8"
    )
    assert read_project(tmp_path / "p.toml").tables["facilities"]["category"].tolist() == own
    (tmp_path / "p.toml").write_text('[inputs]\nbuildings = {path = "a", categories = "b"}\n', encoding="utf-8")
    with pytest.raises(ReadError, match="only facilities take categories"):
        read_project(tmp_path / "p.toml")


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("category,word\na,b\n", ReadError, "no column value among: category, word"),
        (
            "category,scheme,value\na,wort,b\n",
            OptionError,
            "the row a, wort, b must have a value, and a scheme of en, zh",
        ),
        ("category,scheme,value\na,word,\n", OptionError, "must have a value"),
    ],
)
def test_bad_lists_are_refused(tmp_path, text, error, message):
    path = tmp_path / "own.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(error, match=message):
        read_facilities(services(类别=["a"]), categories=path)
    with pytest.raises(OptionError, match="not int"):
        read_facilities(services(类别=["a"]), categories=3)
    with pytest.raises(ReadError, match="is a CSV or Excel sheet"):
        read_facilities(services(类别=["a"]), categories=tmp_path / "absent.csv")


# ---- categories in several columns -----------------------------------------------------------------------------------


def places(**columns) -> pd.DataFrame:
    count = len(next(iter(columns.values())))
    return pd.DataFrame({**columns, "lng": [116.3] * count, "lat": [40.0] * count})


def test_classes_in_three_columns_are_one_type():
    read = read_facilities(
        places(
            名称=["甲", "乙", "丙", "丁"],
            大类=["医疗保健服务", "医疗保健服务", "餐饮服务", "汽车服务"],
            中类=["医药保健销售店", "综合医院", None, "汽车维修"],
            小类=["药房", None, None, "汽车综合维修"],
        )
    )
    assert read["category"].tolist() == ["pharmacy", "hospital", "restaurant", "汽车服务;汽车维修;汽车综合维修"]
    assert read[["大类", "小类"]].iloc[0].tolist() == ["医疗保健服务", "药房"]
    told = read.attrs["reading"]["categories"]
    assert (told["from"], told["own_words_rows"]) == ("大类;中类;小类", 1)
    assert told["recognised"] == {"hospital": 1, "pharmacy": 1, "restaurant": 1}


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"大类": ["餐饮服务"]}, "restaurant"),
        ({"大类": ["生活服务"], "小类": ["公共厕所"]}, "toilets"),
        ({"一级分类": ["购物服务"], "二级分类": ["综合市场"]}, "market"),
        ({"tag": ["美食;中餐厅"]}, "restaurant"),
        ({"std_tag": ["医疗;药店"]}, "pharmacy"),
        ({"大类": ["汽车服务"]}, "汽车服务"),
        ({"类型编码": ["090601"]}, "pharmacy"),
    ],
)
def test_one_or_two_of_them_will_do(columns, expected):
    assert read_facilities(places(**columns))["category"].tolist() == [expected]


def test_rows_that_one_column_does_not_tell_are_looked_up_in_the_next():
    listed = places(
        type=["cater", "cater", "药店", None], tag=["美食;中餐厅", "美食;别的", "美食;中餐厅", None],
        typecode=["", "050100", "", "90601"],
    )  # fmt: skip
    read = read_facilities(listed)
    assert read["category"].tolist() == ["restaurant", "restaurant", "pharmacy", "pharmacy"]
    assert read.attrs["reading"]["categories"]["from"] == "words (1 rows), tag (1 rows), typecode (2 rows)"
    # what the user says is the only one
    said = read_facilities(listed[:3], columns={"category": "type"})
    assert said["category"].tolist() == ["cater", "cater", "pharmacy"]


def test_a_file_of_classes_is_known_to_the_audit(tmp_path):
    path = tmp_path / "list.csv"
    path.write_text("名称,大类,中类,经度,纬度\n甲,购物服务,综合市场,116.3,40\n", encoding="utf-8")
    assert read_audit_sources([str(path)])["facilities"]["category"].tolist() == ["market"]
