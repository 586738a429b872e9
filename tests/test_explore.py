"""The map as a file: what it holds, that it needs nothing else, and that its numbers are those of the tables."""

from __future__ import annotations

import ast
import base64
import json
import re
import zlib
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import folium
import folium.plugins
import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from map_town import HOSTILE, frame, make_city, make_town, square

import gridmap.maps
from gridmap.coverage.counting.cover import cover
from gridmap.errors import GridmapError, OptionError, TableError, WriteError
from gridmap.maps.bands import bands_of
from gridmap.maps.classes import SCHEMES, _breaks, band_theme, category_symbol, rate_theme, status_of, value_theme
from gridmap.maps.columns import coded
from gridmap.maps.edit_words import EDIT_WORDS
from gridmap.maps.encode import (
    DEFLATED,
    STEP,
    Frame,
    encode_shapes,
    frame_of,
    pack_bytes,
    pack_changes,
    pack_varints,
    simplify_tiles,
    squeeze,
)
from gridmap.maps.explore import explore
from gridmap.maps.finding_words import CHINESE, finding_text
from gridmap.maps.layers import recognise
from gridmap.maps.page import json_for_page
from gridmap.maps.swipe_words import SWIPE_WORDS
from gridmap.maps.words import WORDS, category_labels, words
from gridmap.network.streets import StreetNetwork
from gridmap.tables.categories import facility_categories

PACKAGE = Path(gridmap.maps.__file__).parents[1]
ASSETS = PACKAGE / "maps" / "assets"
DAY = "2025-06-01"


@pytest.fixture(scope="module")
def town():
    return make_town()


def page_of(*layers, **options):
    options.setdefault("date", DAY)
    return explore(*layers, **options).get_root().render()


def payload_of(page: str) -> dict:
    return json.loads(re.search(r'id="gm-data">(.*?)</script>', page, re.DOTALL).group(1), object_hook=spread)


def spread(found: dict) -> object:
    """What `squeeze` deflated, as it was."""
    return json.loads(plain_bytes(found["z"])) if found.keys() == {"z"} else found


def plain_bytes(text: str) -> bytes:
    if text[:1] != DEFLATED:
        return base64.b64decode(text)
    raw = base64.b64decode(text[1:])
    out = zlib.decompress(raw[4:], -zlib.MAX_WBITS)
    assert len(out) == int.from_bytes(raw[:4], "little")
    return out


# -- the file --------------------------------------------------------------------------------------------------------


def test_a_map_is_a_folium_map_that_names_no_other_place(town):
    made = explore(town["plan"], town["cover"], town["circles"], date=DAY)
    assert isinstance(made, folium.Map)
    page = made.get_root().render()
    assert "Content-Security-Policy" in page
    loaded = re.findall(r"""<(?:script|img|link|iframe)\b[^>]*?(?:src|href)\s*=\s*["']?([^"'\s>]+)""", page)
    assert loaded == ["data:,"]
    assert re.findall(r"url\((?!data:|#)[^)]*\)", page.split("gm-data")[0].replace("url(${", "")) == []
    assert "sourceMappingURL" not in page
    for library in ("jquery.min", "bootstrap", "awesome"):
        assert library not in page.lower()
    assert len(page) < 400_000
    assert "Volodymyr Agafonkin" in page  # Leaflet's licence goes with it


def test_the_same_input_makes_the_same_bytes(town):
    layers = town["plan"], town["cover"], town["circles"]
    assert page_of(*layers) == page_of(*layers)
    assert page_of(*layers) != page_of(*layers, lang="zh")


def test_the_order_of_layers_changes_nothing(town):
    layers = [town["plan"], town["cover"], town["circles"]]
    first, again = payload_of(page_of(*layers)), payload_of(page_of(*reversed(layers)))
    assert first.keys() == again.keys()
    for part in ("layers", "coverage", "themes", "city", "categories"):
        assert first[part] == again[part], part


def test_a_notebook_shows_the_whole_page(town):
    shown = explore(town["plan"], date=DAY)._repr_html_()
    assert "<iframe" in shown
    assert "gm-data" in shown
    assert "cdn." not in shown


def test_saving_is_whole_or_not_at_all(town, tmp_path):
    path = tmp_path / "map.html"
    made = explore(town["plan"], date=DAY)
    made.save(path)
    before = path.read_bytes()
    assert before.decode() == made.get_root().render()
    folium.TileLayer("OpenStreetMap").add_to(made)
    with pytest.raises(OptionError, match="online=True"):
        made.save(path)
    assert path.read_bytes() == before
    with pytest.raises(WriteError, match="map"):
        explore(town["plan"], date=DAY).save(tmp_path / "absent" / "map.html")
    assert [p.name for p in tmp_path.iterdir()] == ["map.html"]


@pytest.mark.parametrize(
    ("child", "what"),
    [
        (folium.TileLayer("OpenStreetMap"), "openstreetmap"),
        (folium.Marker([39.9, 116.4], icon=folium.Icon(color="red")), "awesome-markers"),
        (folium.plugins.MarkerCluster(), "markercluster"),
        (folium.raster_layers.ImageOverlay("https://example.org/a.png", [[39, 116], [40, 117]]), "example.org"),
        (folium.Marker([39.9, 116.4], icon=folium.CustomIcon("https://example.org/pin.png")), "pin.png"),
        (folium.Element('<script src="https://example.org/track.js"></script>'), "track.js"),
    ],
)
def test_what_a_child_would_load_is_refused_by_name(town, child, what):
    made = explore(town["communities"], date=DAY)
    if type(child) is folium.Element:
        made.get_root().html.add_child(child)
    else:
        child.add_to(made)
    with pytest.raises(OptionError, match=what):
        made.get_root().render()


def test_children_that_load_nothing_are_welcome(town):
    made = explore(town["communities"], date=DAY)
    folium.Marker([39.9, 117.4], popup='<a href="https://example.org/page">more</a>').add_to(made)
    folium.GeoJson(town["grids"].to_crs(4326)[["geometry"]]).add_to(made)
    assert "https://example.org/page" in made.get_root().render()


def test_online_is_allowed_on_request_and_said(town):
    made = explore(town["communities"], date=DAY, online=True)
    folium.plugins.MarkerCluster().add_to(made)
    page = made.get_root().render()
    assert "markercluster" in page
    assert "Content-Security-Policy" not in page
    based = page_of(town["communities"], basemap="https://tiles.example.org/{z}/{x}/{y}.png")
    assert "tiles.example.org" in based
    assert words("en")["note.basemap"] in payload_of(based)["notes"]
    with pytest.raises(OptionError, match="basemap"):
        explore(town["communities"], basemap="no such map")


def test_named_files_are_put_in_the_place_of_links(town, tmp_path):
    (tmp_path / "dot.png").write_bytes(b"png")
    files = {}
    for name, address in [*folium.plugins.MarkerCluster.default_js, *folium.plugins.MarkerCluster.default_css]:
        files[address] = tmp_path / f"{name}.txt"
        end = "/*</script>*/" if address.endswith(".js") else ""
        files[address].write_text(f"/* {name} */ .a {{ background: url(dot.png) }} {end}", encoding="utf-8")
    made = explore(town["communities"], date=DAY, assets=files)
    folium.plugins.MarkerCluster().add_to(made)
    page = made.get_root().render()
    assert "cdnjs" not in page
    assert "/* markerclusterjs */" in page
    assert f"url(data:image/png;base64,{base64.b64encode(b'png').decode()})" in page
    assert page.count("</script>") == page.count("<script")
    (tmp_path / "dot.png").unlink()
    with pytest.raises(OptionError, match=r"dot\.png"):
        made.get_root().render()


# -- hostile names ---------------------------------------------------------------------------------------------------


@given(st.text())
def test_no_text_breaks_out_of_the_data(text):
    written = json_for_page({"name": text})
    assert json.loads(written) == {"name": text}
    assert not re.search("[<>&\u2028\u2029]", written)


def test_names_are_data_and_not_a_template(town):
    page = page_of(town["facilities"], title=HOSTILE[2])
    names = payload_of(page)["layers"]["facilities"]["name"]
    assert names == list(HOSTILE)
    assert payload_of(page)["title"] == HOSTILE[2]
    assert "<script>window.broken" not in page
    assert "<title>{{ 7 * 7 }}" in page


# -- geometry --------------------------------------------------------------------------------------------------------


def unpack(text: str) -> list[int]:
    out, value, shift = [], 0, 0
    for byte in plain_bytes(text):
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            out.append(value)
            value = shift = 0
    return out


def added_up(text: str) -> list[int]:
    """Numbers of which the changes were written."""
    return np.cumsum([-(d + 1) // 2 if d % 2 else d // 2 for d in unpack(text)]).tolist()


def decode(layer: dict, place) -> list[list[np.ndarray]]:
    """Rings of each feature in degrees: the slow, obvious reading of what `encode_shapes` wrote."""
    sizes, deltas = iter(unpack(layer["sizes"])), iter(unpack(layer["xy"]))
    x = y = 0
    features = []
    for count in unpack(layer["rings"]):
        rings = []
        for _ in range(count):
            ring = []
            for _ in range(next(sizes)):
                a, b = next(deltas), next(deltas)
                x += -(a + 1) // 2 if a % 2 else a // 2
                y += -(b + 1) // 2 if b % 2 else b // 2
                ring.append((place.lon0 + x * place.dlon, place.lat0 + y * place.dlat))
            rings.append(np.array(ring))
        features.append(rings)
    return features


@given(st.lists(st.integers(0, 2**32 - 1)))
def test_varints_come_back(values):
    assert unpack(pack_varints(np.array(values, dtype=np.int64))) == values


@given(st.lists(st.integers(0, 65535)))
def test_changes_come_back(values):
    assert added_up(pack_changes(np.array(values, dtype=np.int64))) == values


def test_what_is_long_is_deflated_and_comes_back():
    value = {"short": ["a"], "names": ["幸福小区"] * 900, "rank": "2" * 5000, "rows": [{"of": list(range(3000))}]}
    small = squeeze(value)
    assert small["short"] == ["a"]
    assert len(json.dumps(small)) < 0.5 * len(json.dumps(value))
    assert json.loads(json.dumps(small), object_hook=spread) == value
    noise = np.random.default_rng(0).integers(0, 256, 4096).astype(np.uint8).tobytes()
    assert pack_bytes(noise)[0] != DEFLATED


def with_hole(corners: list) -> shapely.Polygon:
    return shapely.MultiPoint(corners).convex_hull.buffer(0.0005) - shapely.Point(corners[0]).buffer(0.0001)


corner = st.tuples(st.floats(116, 116.05), st.floats(39.9, 39.95))


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.one_of(corner.map(shapely.Point), st.lists(corner, min_size=3, max_size=9, unique=True)), max_size=6)
)
def test_shapes_come_back_to_a_decimetre(drawn):
    shapes = [d if isinstance(d, shapely.Point) else with_hole(d) for d in drawn]
    array = np.array([*shapes, None], dtype=object)
    place = frame_of(np.array([116, 39.9, 116.05, 39.95]))
    layer = encode_shapes(array, place)
    features = decode(layer, place)
    assert len(features) == layer["n"] == len(array)
    assert features[-1] == []
    for shape, rings in zip(shapes, features, strict=False):
        if shape.geom_type == "Point":
            assert np.abs(place.to_metres(rings[0]) - place.to_metres(np.array(shape.coords))).max() <= STEP
            continue
        exact = shapely.get_rings(shapely.get_parts(shape))
        assert len(rings) == len(exact)
        for ring, true in zip(rings, exact, strict=True):
            line = shapely.LinearRing(place.to_metres(ring))
            assert line.hausdorff_distance(shapely.transform(true, place.to_metres)) <= STEP


def test_neighbours_keep_their_border_in_common_when_simplified():
    wave = [(116.001 + 0.0001 * np.sin(k / 7), 39.9 + 0.00002 * k) for k in range(100)]
    west = shapely.Polygon([(116, 39.9), *wave, (116, wave[-1][1])])
    east = shapely.Polygon([(116.002, 39.9), *wave, (116.002, wave[-1][1])])
    place = frame_of(np.array([116, 39.9, 116.01, 39.91]))
    metres = simplify_tiles(shapely.transform(np.array([west, east]), place.to_metres), 1.0)
    degrees = shapely.transform(metres, lambda xy: xy / STEP * (place.dlon, place.dlat) + (place.lon0, place.lat0))
    layer = encode_shapes(degrees, place)
    first, second = ({tuple(p) for p in rings[0]} for rings in decode(layer, place))
    exact, _ = ({tuple(p) for p in rings[0]} for rings in decode(encode_shapes(np.array([west, east]), place), place))
    border = first & second
    assert 4 < len(border) < 60
    assert len(first) < len(exact)
    corners = first - second
    assert len(corners) == 2


def test_thinned_rings_stay_near_and_never_vanish():
    round_one, tiny = shapely.Point(116.01, 39.91).buffer(0.003, 200), shapely.box(116, 39.9, 116.000005, 39.900005)
    place = frame_of(np.array([116, 39.9, 116.05, 39.95]))
    [[thin], [small]] = decode(encode_shapes(np.array([round_one, tiny]), place, tolerance=1.0), place)
    assert 10 < len(thin) < 80
    assert len(small) >= 3
    line = shapely.LinearRing(place.to_metres(thin))
    assert line.hausdorff_distance(shapely.transform(round_one.exterior, place.to_metres)) <= 1 + STEP


def test_mixed_kinds_are_drawn_as_what_they_are():
    parts = [shapely.Point(0, 0), shapely.LineString([(0, 0), (1, 1)]), shapely.box(0, 0, 1, 1)]
    mixed = np.array([*parts, shapely.GeometryCollection(parts)], dtype=object)
    layer = encode_shapes(mixed, frame_of(np.array([0, 0, 1, 1])))
    assert layer["shape"] == "0122"
    assert [len(rings) for rings in decode(layer, frame_of(np.array([0, 0, 1, 1])))] == [1, 1, 1, 1]


# -- numbers ---------------------------------------------------------------------------------------------------------


def test_coverage_is_that_of_the_tables(town):
    payload = payload_of(page_of(town["plan"], town["cover"]))
    categories = [c["id"] for c in payload["categories"]]
    for by, part, ids in ((None, "city", ["all"]), (town["plan"], "grids", payload["layers"]["grids"]["id"])):
        table = town["cover"].rate(by=by).set_index(["unit_id", "category"])
        for c, category in enumerate(categories):
            for u, unit in enumerate(ids):
                for column in ("total", "covered", "rate"):
                    shown = payload["coverage"][part][column][c][u]
                    if (unit, category) not in table.index:
                        assert shown is None
                        continue
                    true = table.loc[(unit, category), column]
                    assert (shown is None and np.isnan(true)) or shown == pytest.approx(true, abs=5e-5)


def test_coverage_of_a_community_is_that_of_its_buildings(town):
    payload = payload_of(page_of(town["plan"], town["cover"]))
    owner = town["plan"].assignment.merge(town["grids"][["grid_id", "community_id"]], on="grid_id")
    table = town["cover"].rate(by=owner.set_index("building_id")["community_id"]).set_index(["unit_id", "category"])
    for c, category in enumerate(c["id"] for c in payload["categories"]):
        for u, unit in enumerate(payload["layers"]["communities"]["id"]):
            if (unit, category) in table.index:
                shown = payload["coverage"]["communities"]["covered"][c][u]
                assert shown == pytest.approx(table.loc[(unit, category), "covered"])


def test_photos_are_put_into_the_page(town, tmp_path):
    picture = b"\x89PNG\r\n\x1a\n" + b"0" * 50
    (tmp_path / "a.png").write_bytes(picture)
    (tmp_path / "b.png").write_bytes(b"<script>")
    facilities = (
        town["facilities"]
        .head(5)
        .assign(
            photo=[str(tmp_path / "a.png"), str(tmp_path / "b.png"), "absent.jpg", "https://example.org/c.jpg", None]
        )
    )
    payload = payload_of(page_of(facilities))
    shown = payload["layers"]["facilities"]["photo"]
    assert shown[0] == f"data:image/png;base64,{base64.b64encode(picture).decode()}"
    assert shown[1:] == ["", "", "https://example.org/c.jpg", ""]
    assert words("en")["note.photos"].format(n=2) in payload["notes"]


@pytest.mark.parametrize("kind", ["object", "str", "category"])
def test_an_empty_cell_is_no_word(kind):
    column = coded(pd.Series(["shop", None, "home", np.nan, "shop"]).astype(kind))
    texts = [None, *column["of"]]
    assert [texts[code] for code in unpack(column["code"])] == ["shop", None, "home", None, "shop"]


def test_city_totals(town):
    city = payload_of(page_of(town["plan"]))["city"]
    assert city["households"] == town["grids"]["households"].sum()
    assert (city["grids"], city["in_band"], city["judged"]) == (6, 2, 4)
    assert city["statuses"] == {"legal": 2, "above": 1, "below": 1, "empty": 1, "dedicated": 1}
    assert city["area_m2"] == pytest.approx(240_000, rel=0.002)


def test_reach_of_each_building_is_in_the_page(town):
    payload = payload_of(page_of(town["plan"], town["cover"]))
    buildings, categories = payload["layers"]["buildings"], [c["id"] for c in payload["categories"]]
    reach = town["cover"].reach.set_index(["building_id", "category"])
    for c, category in enumerate(categories):
        codes = [turned >> 1 | (turned & 1) << 15 for turned in added_up(buildings["reach"][c])]
        nearest = added_up(buildings["nearest"][c])
        for row, building in enumerate(buildings["id"]):
            if (building, category) not in reach.index:
                assert codes[row] == 0x7FFF
                continue
            true = reach.loc[(building, category)]
            assert codes[row] & 0x7FFF == round(true["minutes"] * 10)
            assert (codes[row] < 0x8000) == true["covered"]
            assert payload["layers"]["facilities"]["id"][nearest[row] - 1] == true["facility_id"]


def one_band(households):
    table = gpd.GeoDataFrame({"households": households}, geometry=[shapely.Point(0, 0)] * len(households))
    return bands_of(table, 300, 500)


def test_grids_of_several_bands_are_judged_by_their_own():
    say = words("en")
    table = gpd.GeoDataFrame(
        {
            "households": [350, 350, 350, 120], "weight": [350, 900, 1700, 120], "lower": [300, 900, 900, 100],
            "upper": [500, 1500, 1500, np.nan], "counted": ["households", "residents", "residents", "households"],
        },
        geometry=[shapely.Point(0, 0)] * 4,
    )  # fmt: skip
    bands = bands_of(table, 300, 500, "weight")
    assert bands.differ
    assert status_of(bands).tolist() == ["legal", "legal", "above", "legal"]
    theme = band_theme(bands, status_of(bands), say)
    assert theme["label"] == say["theme.bands"]
    wanted = ["class.band_low", "class.band_low", "class.band_above", "class.band_low"]
    assert [theme["classes"][k]["label"] for k in theme["of"]] == [say[name] for name in wanted]
    same = bands_of(table.assign(lower=300, upper=500, counted="households"), 300, 500)
    assert not same.differ
    assert same.held.tolist() == [350, 350, 350, 120]


def test_a_dedicated_grid_has_the_name_of_its_area_in_the_language_of_the_page(town):
    from gridmap.maps.report.ground import ground_of

    campus = town["grids"].iloc[[5]][["geometry"]].assign(compound_id="c", name="师范学院", name_en="Normal College")
    grids = town["grids"].assign(name=[*town["grids"]["name"][:5], "师范学院"])
    plan = replace(town["plan"], grids=grids, compounds=campus)
    for lang, name in (("en", "Normal College"), ("zh", "师范学院")):
        assert payload_of(page_of(plan, lang=lang))["layers"]["grids"]["name"][5] == name
        assert ground_of(plan, None, lang).grid_names[5] == name


def test_each_category_of_the_tags_has_a_symbol_of_its_own():
    # those of words alone (middle_school, food_market) share that of the wider one
    listed = list(dict.fromkeys(facility_categories()[1].values()))
    names = [category_labels(listed, lang) for lang in ("en", "zh")]
    symbols = {c: category_symbol(" ".join([c, *(of[c] for of in names)]), names[0][c]) for c in listed}
    alike = [{c for c, own in symbols.items() if own == one} for one in set(symbols.values())]
    assert [group for group in alike if len(group) > 1] in ([], [{"kindergarten", "childcare"}])
    drawn = set(re.findall(r"^    (\w+): \"M", (ASSETS / "symbols.js").read_text("utf-8"), re.MULTILINE))
    assert {glyph for glyph, _ in symbols.values() if not glyph.startswith("letter:")} <= drawn
    # a word in another word is not it
    told = [category_symbol(c, c)[0] for c in ("public_transport", "Community service station", "parking")]
    assert told == ["bus", "hall", "letter:P"]


def test_classes_hold_every_grid_once():
    say = words("en")
    households = np.array([0, 150, 250, 299, 300, 400, 401, 500, 501, 700, 90, 20])
    status = ["empty", "below", "below", "below", *["legal"] * 4, "above", "above", "dedicated", "unknown"]
    theme = band_theme(one_band(households), status, say)
    assert sum(c["count"] for c in theme["classes"]) == len(households)
    label = [theme["classes"][k]["label"] for k in theme["of"]]
    assert label[1] == "Below 200 households"
    assert label[2:4] == ["200–299 households"] * 2
    assert label[4:8] == ["300–400 households"] * 2 + ["401–500 households"] * 2
    assert label[8:10] == ["501–667 households", "Above 667 households"]
    rates = rate_theme("r", "r", np.array([np.nan, 0, 0.2, 0.21, 1]), say)
    assert [rates["classes"][k]["label"] for k in rates["of"]] == [
        "No households",
        "0–20 %",
        "0–20 %",
        "20–40 %",
        "80–100 %",
    ]


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("whole", [True, False])
def test_any_numbers_are_classed_and_every_one_lies_in_its_class(scheme, whole):
    random = np.random.default_rng(3)
    values = random.lognormal(3, 1, 400)
    values = np.floor(values) if whole else values
    values[:7] = np.nan
    theme = value_theme("t", "T", values, words("en"), scheme=scheme)
    assert sum(c["count"] for c in theme["classes"]) == len(values)
    fills = [c["fill"] for c in theme["classes"]]
    assert len(set(fills)) == len(fills) >= 3
    for value, k in zip(values, theme["of"], strict=True):
        label = theme["classes"][k]["label"]
        numbers = [float(n.replace(",", "")) for n in re.findall(r"[\d.,]+", label)]
        if np.isnan(value):
            assert label == "Unknown" or not numbers
        else:
            slack = 0 if whole else 0.006 * value
            assert numbers[0] - slack <= value <= numbers[1] + slack, (value, label)


def test_other_columns_of_grids_are_offered(town):
    more = town["grids"].assign(
        walk_minutes=[3.5, 4.0, 9.1, 2.2, 1.0, 7.7], leader=["甲", "乙"] * 3, responsible=["secret"] * 5 + ["hidden"],
        remark=list("abcdef"), checked=[True] * 3 + [False] * 3, elderly=[1, 2, 3, 4, 5, 6],
    )  # fmt: skip
    page = page_of(more)
    payload = payload_of(page)
    labels = [theme["label"] for theme in payload["themes"]]
    assert {"walk minutes", "leader", "checked", "Elderly", "Residents"} <= set(labels)
    assert "secret" not in page
    leader = next(t for t in payload["themes"] if t["label"] == "leader")
    assert [leader["classes"][k]["label"] for k in leader["of"]] == ["甲", "乙"] * 3
    assert payload["layers"]["grids"]["own"]["walk_minutes"][2] == 9.1
    with pytest.raises(OptionError, match="FisherJenks"):
        explore(more, scheme="Jenks")


def test_the_colours_of_classes_differ_for_the_colour_blind():
    """Neighbouring classes keep a distance in a simulation of the two common kinds (Viénot, Brettel, Mollon 1999)."""
    say = words("en")
    status = ["below", "below", "legal", "legal", "above", "above"]
    theme = band_theme(one_band([150, 250, 350, 450, 550, 700]), status, say)
    fills = [c["fill"] for c in theme["classes"]]
    rgb = np.array([[int(f[i : i + 2], 16) / 255 for i in (1, 3, 5)] for f in fills]) ** 2.2
    to_lms = np.array([[17.8824, 43.5161, 4.11935], [3.45565, 27.1554, 3.86714], [0.0299566, 0.184309, 1.46709]])
    blind = {
        "protan": np.array([[0, 2.02344, -2.52581], [0, 1, 0], [0, 0, 1]]),
        "deutan": np.array([[1, 0, 0], [0.494207, 0, 1.24827], [0, 0, 1]]),
    }
    for matrix in blind.values():
        seen = np.clip(rgb @ to_lms.T @ matrix.T @ np.linalg.inv(to_lms).T, 0, 1) ** (1 / 2.2)
        for one, two in pairwise(seen):
            assert np.abs(one - two).max() > 0.08


def test_a_city_fits_in_a_small_file():
    """22,000 buildings, 324 grids, ten categories of three circles: as text less than 6 MB."""
    page = page_of(*make_city())
    assert payload_of(page)["layers"]["buildings"]["n"] == 22_000
    assert 1_000_000 < len(page.encode()) < 6_000_000


# -- layers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "kind",
    [
        *("plan", "cover", "circles", "communities", "grids", "buildings", "compounds", "entrances", "streets"),
        *("barriers", "facilities", "findings"),
    ],
)
def test_every_layer_is_told_by_its_columns_and_drawn_alone(town, kind):
    assert recognise(town[kind]) == kind
    payload = payload_of(page_of(town[kind]))
    expected = {"plan": "grids", "cover": "facilities"}.get(kind, kind)
    assert payload["layers"][expected]["n"] > 0


def test_gaps_of_a_cover_are_a_layer(town):
    gaps = town["cover"].gaps()
    assert recognise(gaps) == "gaps"
    assert payload_of(page_of(gaps, town["cover"]))["layers"]["gaps"]["n"] == len(gaps) > 0


def test_other_tables_are_drawn_with_their_columns(town):
    trees = frame(
        {"species": ["银杏", None], "girth": [1.5, np.nan], "old": [True, False]}, [square(0, 0, 5), square(9, 9, 5)]
    )
    second = town["grids"].assign(note="x")
    own = payload_of(page_of(town["plan"], ("Trees", trees), town["communities"].geometry, second))["own"]
    assert [layer["name"] for layer in own][:2] == ["Trees", "Layer 2"]
    assert own[0]["columns"] == ["species", "girth", "old"]
    assert own[0]["values"] == [["银杏", ""], [1.5, ""], [True, False]]
    named = trees.copy()
    named.attrs["layer"] = "古树"
    assert payload_of(page_of(named))["own"][0]["name"] == "古树"


def test_second_grids_are_outlines_that_wait_for_the_reader(town):
    payload = payload_of(page_of(town["plan"], ("Present grids", town["grids"])))
    assert payload["own"][0]["outline"] is True
    assert payload_of(page_of(("Only grids", town["grids"])))["own"][0]["outline"] is False


def test_no_layer_tells_who_is_responsible_for_a_grid(town):
    """The page is a public export (DESIGN, section 3): grids, second grids, grids by another name."""
    named = town["grids"].assign(responsible="Mr Secret", responsible_zh="机密", leader="Ms Open")
    payload = payload_of(page_of(named, named.iloc[:3], ("Present grids", named)))
    assert "Secret" not in str(payload)
    assert "机密" not in str(payload)
    assert len(payload["own"]) == 2
    for layer in payload["own"]:
        assert "leader" in layer["columns"]
        assert "households" in layer["columns"]
    assert payload["layers"]["grids"]["own"]["leader"] == ["Ms Open"] * 6


def test_routes_and_sites_are_layers(town):
    lines = frame(
        {"street_id": ["a"], "name": ["长安街"]}, [shapely.LineString([(447000, 4417100), (447600, 4417100)])]
    )
    network = StreetNetwork.from_streets(lines)
    reach = cover(town["buildings"], town["facilities"], network, minutes=10)
    way = network.route(shapely.Point(447020, 4417105), shapely.Point(447400, 4417095))
    payload = payload_of(page_of(reach, way, lang="zh"))
    assert [layer["name"] for layer in payload["own"]] == ["路线"]
    assert payload["own"][0]["values"] == [[390.0], [round(way.minutes, 1)], ["长安街"]]
    with pytest.raises(OptionError, match="cover"):
        explore(way)
    sites = town["facilities"].assign(status=["existing", "planned", "candidate", "chosen", None, "closed", "", "x"])
    assert payload_of(page_of(sites))["layers"]["facilities"]["stage"] == "01230000"


def test_what_is_no_layer_is_refused(town):
    with pytest.raises(OptionError, match="GeoDataFrame"):
        explore(town["grids"], 42)
    with pytest.raises(OptionError, match="one plan"):
        explore(town["plan"], town["plan"])
    with pytest.raises(OptionError, match="'zh'"):
        explore(town["grids"], lang="fr")
    with pytest.raises(TableError, match="CRS"):
        explore(gpd.GeoDataFrame({"x": [1]}, geometry=[square(0, 0, 1)]))
    assert issubclass(OptionError, GridmapError)


def test_nothing_at_all_is_an_empty_map():
    payload = payload_of(page_of())
    assert payload["layers"] == {}
    assert np.isfinite(payload["bounds"]).all()


def test_statuses_follow_the_band_where_a_table_has_none(town):
    bare = town["grids"].drop(columns="status")
    layer = payload_of(page_of(bare, lower=350, upper=600))["layers"]["grids"]
    texts = ["", *layer["status"]["of"]]
    assert [texts[c] for c in unpack(layer["status"]["code"])] == ["legal", "legal", "above", "below", "empty", "below"]


def test_names_come_in_the_language_of_the_page(town):
    assert payload_of(page_of(town["communities"]))["layers"]["communities"]["name"] == ["Happiness", "Peace"]
    chinese = payload_of(page_of(town["communities"], lang="zh"))["layers"]["communities"]["name"]
    assert chinese == ["幸福社区", "和平社区"]


def test_a_page_in_two_languages_holds_what_differs(town):
    both = payload_of(page_of(town["plan"], town["cover"], lang=("zh", "en")))
    alone = {lang: payload_of(page_of(town["plan"], town["cover"], lang=lang)) for lang in ("zh", "en")}
    other = both.pop("other")
    assert both == alone["zh"]
    assert other["words"]["layers"] == words("en")["layers"]
    assert other["layers"]["communities"]["name"] == ["Happiness", "Peace"]
    assert "of" not in other["themes"]["0"]
    with pytest.raises(OptionError, match="both"):
        explore(town["plan"], lang=("zh", "zh"))


def test_over_shifted_tiles_all_is_shifted_and_said(town):
    from gridmap.io.datums import gcj02_to_wgs84

    spots = {}
    for datum in ("WGS 84", "gcj02"):
        payload = payload_of(page_of(town["plan"], ("own", town["communities"]), datum=datum))
        place = Frame(*payload["frame"])
        rings = decode(payload["layers"]["grids"], place) + decode(payload["own"][0], place)
        spots[payload["datum"]] = np.concatenate([ring for rings_of in rings for ring in rings_of])
        assert any("GCJ-02" in note for note in payload["notes"]) == (datum == "gcj02")
    plain, moved = spots["WGS 84"], spots["GCJ-02"]
    assert np.abs(plain - moved).max() > 0.002
    back = np.column_stack(gcj02_to_wgs84(moved[:, 0], moved[:, 1]))
    assert np.abs(back - plain).max() < 3e-6
    with pytest.raises(OptionError, match="BD-09"):
        explore(town["grids"], datum="ED50")


def test_notes_say_what_the_numbers_rest_on(town):
    estimated = town["buildings"].assign(households_estimated=True)
    invented = town["communities"].copy()
    invented.attrs |= {"synthetic": True, "attribution": "© OpenStreetMap contributors, ODbL 1.0"}
    payload = payload_of(page_of(estimated, invented, notes=["Drawn for a hearing."]))
    say = words("en")
    assert payload["city"]["estimated"] is True
    for note in ("Drawn for a hearing.", say["note.synthetic"], say["note.estimated"]):
        assert note in payload["notes"]
    assert any("OpenStreetMap" in note for note in payload["notes"])
    assert "the exact data" in " ".join(payload["notes"])


# -- words -----------------------------------------------------------------------------------------------------------


def test_every_word_is_there_in_both_languages():
    allowed = re.compile(r"\{\w+\}|gridmap|Leaflet|JavaScript|WGS 84|CGCS2000")
    names = {key: (c.name_en, c.name_zh) for key, c in facility_categories()[0].items()}
    for key, both in {**WORDS, **names}.items():
        english, chinese = both
        assert english.strip()
        assert chinese.strip()
        assert sorted(re.findall(r"\{\w+\}", english)) == sorted(re.findall(r"\{\w+\}", chinese)), key
        assert not re.search("[\u4e00-\u9fff]", english), key
        assert not re.search(r"[A-Za-z]{2,}", allowed.sub("", chinese)), key


def test_every_word_that_the_page_says_is_in_the_list():
    code = "\n".join(p.read_text("utf-8") for p in sorted(ASSETS.glob("*.js")))
    said = set(re.findall(r"""say(?:\.has)?\(\s*"([\w.]+)"\s*[,)]""", code))
    assert len(said) > 60
    known = WORDS | EDIT_WORDS | SWIPE_WORDS
    assert said <= set(known), said - set(known)
    for start in re.findall(r"""say(?:\.has)?\(\s*"([\w.]+[._])"\s*\+""", code):
        assert any(key.startswith(start) for key in known), start
    used = code + "".join(p.read_text("utf-8") for p in (PACKAGE / "maps").glob("*.py") if p.name != "words.py")
    starts = tuple(re.findall(r"""["]([a-z_]+\.(?:[a-z]+_)?)["]""", used))  # the rest is put together in the page
    unused = [k for k in WORDS if f'"{k}"' not in used and not k.startswith(starts)]
    assert unused == []


def test_categories_have_labels():
    labels = category_labels(["kindergarten", "primary_school", "菜鸟驿站", "pet_shop"], "zh")
    assert labels == {
        "kindergarten": "幼儿园",
        "primary_school": "小学",
        "菜鸟驿站": "菜鸟驿站",
        "pet_shop": "pet shop",
    }


def rules_in_source() -> set[str]:
    """Every rule that some code of the package gives to a finding."""
    found = set()
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("finding", "_finding", "_about"):
                texts = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
                found |= {t for t in texts if re.fullmatch(r"[a-z]+(_[a-z]+)*", t)} - {"error", "warning", "info"}
    return found


def test_every_finding_can_be_said_in_chinese():
    rules = rules_in_source()
    assert len(rules) > 15
    assert rules <= set(CHINESE), rules - set(CHINESE)


def test_findings_say_the_same_in_chinese(town):
    row = town["findings"].to_dict("records")[0]
    assert finding_text(row, "en", {}) == (row["message"], row["cure"])
    message, cure = finding_text(row, "zh", {})
    assert message == "网格 110101001001003 有 612 户，高于上限 500 户。"
    assert cure == "拆分为 2 个网格，每个约 306 户；或确认 612 户的现状，或设为专属网格。"
    for rule in CHINESE:
        said = finding_text(
            {"rule": rule, "message": "3 rows.", "cure": "Do.", "ids": ["a", "b"], "certificate": ""}, "zh", {}
        )
        assert not re.search(r"[A-Za-z]{2,}", "".join(said)), rule


@pytest.mark.parametrize("k", [2, 5, 7])
def test_quantiles_are_those_of_mapclassify(k):
    import mapclassify

    values = np.sort(np.random.default_rng(k).gamma(2, 50, 301).round(1))
    assert _breaks(values, "Quantiles", k) == pytest.approx(mapclassify.Quantiles(values, k=k).bins)
