"""The map in a real browser without a network: it opens, answers, speaks one language, and nothing in it breaks out."""

from __future__ import annotations

import base64
import json
import re
import time
import zlib

import geopandas as gpd
import numpy as np
import pytest
import shapely
from map_town import CRS, HOSTILE, HOUSEHOLDS, NAMES, SOUTH, WEST, frame, make_city, make_town
from shapely import box

from gridmap.coverage.counting.cover import cover
from gridmap.maps.explore import explore
from gridmap.maps.words import words
from gridmap.network.streets import StreetNetwork

DAY = "2025-06-01"
# What a Chinese page may say in Latin letters: names of software, and the scripts of the hostile names themselves.
LATIN = re.compile(r"gridmap \S+|Leaflet \S+|WGS 84")


@pytest.fixture(scope="module")
def town():
    return make_town()


@pytest.fixture
def opened(browser, tmp_path):
    """Opens a map, and checks at the end that it asked for nothing and complained of nothing."""

    def open_page(*layers, page=None, **options):
        path = tmp_path / "map.html"
        if page is None:
            explore(*layers, date=DAY, **options).save(path)
        else:
            path.write_text(page, encoding="utf-8")
        browser.get(path.as_uri())
        if page and "<iframe" in page:
            browser.switch_to.frame(0)
        wait(browser, "return document.documentElement.getAttribute('data-gridmap') === 'ready'")
        return browser

    yield open_page
    requests = []
    for entry in browser.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            requests.append(message["params"]["request"]["url"])
    assert [r for r in requests if not r.startswith(("file:", "data:", "chrome:"))] == []
    assert [e for e in browser.get_log("browser") if e["level"] == "SEVERE"] == []


def wait(page, script, seconds=10.0):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if page.execute_script(script):
            return
        time.sleep(0.05)
    raise AssertionError(f"not true within {seconds} s: {script}")


def text_of(page, selector):
    return page.execute_script(
        "const e = document.querySelector(arguments[0]); return e ? e.innerText : null", selector
    )


def fact(page, name):
    return text_of(page, f'.gm-details [data-fact="{name}"]')


def painted(page):
    """A number for what the map's canvas shows."""
    wait(page, "return !gridmap.app.busy()")
    return page.execute_script(
        """
        const canvas = document.querySelector('.leaflet-gm-map-pane canvas');
        const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
        let sum = 0;
        for (let i = 0; i < data.length; i++) sum = (sum * 31 + data[i]) % 2147483647;
        return sum;
        """
    )


def click_map(page, lon, lat):
    """A real click of the mouse on a place of the map."""
    from selenium.webdriver import ActionChains

    x, y = page.execute_script(
        """
        const p = gridmap.app.map.latLngToContainerPoint([arguments[1], arguments[0]]);
        const box = gridmap.app.map.getContainer().getBoundingClientRect();
        return [box.left + p.x, box.top + p.y];
        """,
        lon,
        lat,
    )
    actions = ActionChains(page)
    actions.w3c_actions.pointer_action.move_to_location(int(x), int(y))
    actions.w3c_actions.pointer_action.click()
    actions.perform()


def test_every_layer_can_be_switched_off_and_on(opened, town):
    page = opened(town["plan"], town["cover"], town["circles"], town["cover"].gaps())
    page.execute_script("gridmap.app.map.setZoom(17.5, {animate: false})")
    keys = page.execute_script("return gridmap.app.layers.map(l => l.key)")
    assert {"grids", "circles", "blind", "gaps", "facilities", "buildings", "streets", "barriers", "entrances"} <= set(
        keys
    )
    for key in keys:
        box = page.find_element("css selector", f"#gm-layer-{key}")
        if not box.is_selected():
            page.execute_script("arguments[0].click()", box)
        on = painted(page)
        assert page.execute_script(f"return !!document.querySelector('.gm-layer[data-layer={key}] .gm-classes > *')")
        page.execute_script("arguments[0].click()", box)
        assert painted(page) != on, key
        assert not page.execute_script(
            f"return !!document.querySelector('.gm-layer[data-layer={key}] .gm-classes > *')"
        )
        page.execute_script("arguments[0].click()", box)
        assert painted(page) == on, key


def test_a_click_on_a_grid_shows_the_numbers_of_the_table(opened, town):
    page = opened(town["plan"], town["cover"], town["circles"])
    rates = town["cover"].rate(by=town["plan"]).set_index(["unit_id", "category"])["rate"]
    spots = town["grids"].to_crs(4326).geometry.representative_point()
    for row, grid in town["grids"].iterrows():
        page.execute_script("gridmap.app.show('facilities', false)")
        click_map(page, spots[row].x, spots[row].y)
        wait(page, f"return gridmap.app.state.selected && gridmap.app.state.selected.row === {row}")
        assert fact(page, "headline") == str(HOUSEHOLDS[row])
        assert fact(page, "residents") == f"{grid['residents']:,.1f}".removesuffix(".0")
        assert grid["grid_id"] in text_of(page, ".gm-details")
        for (unit, category), rate in rates.items():
            if unit != grid["grid_id"]:
                continue
            bar = f'.gm-bar[data-category="{category}"]'
            expected = words("en")["coverage.none"] if rate != rate else f"{rate * 100:.1f} %"  # noqa: PLR0124
            assert text_of(page, f"{bar} .gm-bar-value") == expected
    click_map(page, spots[2].x, spots[2].y)
    wait(page, "return gridmap.app.state.selected.row === 2")
    assert "Split it into 2 of about 306" in text_of(page, ".gm-findings")


def test_the_page_reads_what_was_deflated(opened, town):
    page = opened(town["plan"])
    random = np.random.default_rng(2)
    stored = random.integers(0, 256, 70_000).astype(np.uint8).tobytes()
    cases = [
        b"a" * 100_000, bytes(range(256)) * 40, random.geometric(0.1, 60_000).clip(0, 255).astype(np.uint8).tobytes(),
        "社区网格\u2028👩‍👧".encode() * 999, b"", b"x", stored,
    ]  # fmt: skip
    for raw in cases:
        for level, plan in ((9, zlib.Z_DEFAULT_STRATEGY), (1, zlib.Z_FIXED), (0, zlib.Z_DEFAULT_STRATEGY)):
            press = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS, 9, plan)
            text = base64.b64encode(press.compress(raw) + press.flush()).decode()
            read = page.execute_script(
                """
                const from = Uint8Array.from(atob(arguments[0]), c => c.charCodeAt(0));
                return btoa(Array.from(gridmap.inflate(from, arguments[1]), b => String.fromCharCode(b)).join(''));
                """,
                text,
                len(raw),
            )
            assert base64.b64decode(read) == raw


def test_shapes_lie_where_the_table_has_them(opened):
    outer = shapely.Point(WEST, SOUTH).buffer(500, 7)
    comb = shapely.union_all([box(WEST + 60 * k, SOUTH - 300, WEST + 60 * k + 30, SOUTH + 300) for k in range(-4, 5)])
    shapes = [outer - comb, (comb & outer) - shapely.Point(WEST, SOUTH).buffer(100, 3)]
    areas = gpd.GeoDataFrame({"name": ["a", "b"]}, geometry=shapes, crs=CRS)
    page = opened(("areas", areas))
    random = np.random.default_rng(1)
    points = gpd.GeoSeries.from_xy(
        WEST + random.uniform(-550, 550, 600), SOUTH + random.uniform(-550, 550, 600), crs=CRS
    )
    points = points[shapely.distance(shapely.union_all(areas.boundary.array), points.array) > 0.5]
    lonlat = shapely.get_coordinates(points.to_crs(4326)).tolist()
    inside = page.execute_script(
        """
        return arguments[0].map(([lon, lat]) => {
          const at = gridmap.place(gridmap.app, {lng: lon, lat: lat});
          return [0, 1].map(f => gridmap.contains(gridmap.app.shapes.own0, f, at.x, at.y));
        });
        """,
        lonlat,
    )
    for k, shape in enumerate(shapes):
        true = shapely.contains_xy(shape, points.x, points.y)
        assert 50 < true.sum() < 550
        assert [one[k] for one in inside] == true.tolist()
    for row, bounds in enumerate(areas.to_crs(4326).bounds.to_numpy()):
        shown = page.execute_script(
            "const b = gridmap.app.bounds('own0', arguments[0]);"
            "return [b.getWest(), b.getSouth(), b.getEast(), b.getNorth()]",
            row,
        )
        assert shown == pytest.approx(bounds.tolist(), abs=3e-6)


def test_nothing_chosen_shows_the_whole_area(opened, town):
    page = opened(town["plan"], town["cover"])
    assert fact(page, "households") == f"{sum(HOUSEHOLDS):,}"
    assert fact(page, "in_band") == "50.0 %"
    total = town["cover"].rate()
    for row in total.itertuples():
        shown = page.execute_script(
            "return document.querySelector(`.gm-bar[data-category='${arguments[0]}']`).dataset.rate", row.category
        )
        assert float(shown) == pytest.approx(row.rate, abs=5e-5)
    assert f"of {sum(HOUSEHOLDS):,} households" in text_of(page, ".gm-details")


def test_a_building_shows_its_nearest_facilities(opened, town):
    page = opened(town["plan"], town["cover"])
    page.execute_script("gridmap.app.map.setZoom(18, {animate: false}); gridmap.app.show('facilities', false)")
    spot = town["buildings"].to_crs(4326).geometry[0].centroid
    page.execute_script("gridmap.app.map.setView([arguments[1], arguments[0]], 18, {animate: false})", spot.x, spot.y)
    click_map(page, spot.x, spot.y)
    wait(page, "return gridmap.app.state.selected && gridmap.app.state.selected.kind === 'buildings'")
    assert fact(page, "households") == f"{town['buildings'].households[0]:.0f}"
    reach = town["cover"].reach
    for row in reach[reach["building_id"] == "b000"].itertuples():
        shown = text_of(page, f'.gm-reach [data-category="{row.category}"] .gm-reach-value')
        assert f"{round(row.minutes, 1):g} min" in shown
        assert ("not covered" in shown) != row.covered


def test_routes_are_those_of_the_network(opened):
    """Every way that the page follows is as long as the table says, and lies where the network finds it."""
    random = np.random.default_rng(4)
    moved = np.array([WEST, SOUTH]) + random.uniform(-20, 20, (6, 6, 2))
    nodes = {(i, j): moved[i, j] + 90.0 * np.array([i, j]) for i in range(6) for j in range(6)}
    pairs = [((i, j), (i + 1, j)) for i in range(5) for j in range(6)] + [
        ((i, j), (i, j + 1)) for i in range(6) for j in range(5) if random.random() < 0.7
    ]
    streets = frame(
        {"class": ["residential"] * len(pairs)}, [shapely.LineString([nodes[a], nodes[b]]) for a, b in pairs]
    )
    spots = np.array([WEST, SOUTH]) + random.uniform(-20, 470, (60, 2))
    homes = frame({"building_id": [f"b{i}" for i in range(60)], "households": [5.0] * 60}, list(shapely.points(spots)))
    places = np.array([WEST, SOUTH]) + random.uniform(0, 450, (7, 2))
    services = frame(
        {"facility_id": [f"f{i}" for i in range(7)], "category": ["clinic", "market"] * 3 + ["clinic"]},
        list(shapely.points(places)),
    )
    network = StreetNetwork.from_streets(streets)
    reach = cover(homes, services, network, minutes=8)
    page = opened(reach, routes=True)
    shown = page.execute_script(
        """
        const out = [], t = gridmap.app.data.layers;
        for (let b = 0; b < t.buildings.n; b++) for (let c = 0; c < 2; c++) {
          const r = gridmap.app.route(b, c), all = [r.from].concat(r.way, [r.to]);
          out.push([t.buildings.id[b], gridmap.app.data.categories[c].id, all.map(p => {
            const q = L.CRS.EPSG3857.pointToLatLng(L.point(p[0], p[1]), 0);
            return [q.lng, q.lat];
          })]);
        }
        return out;
        """
    )
    assert len(shown) == 120
    table = reach.reach.set_index(["building_id", "category"])
    services = services.set_index("facility_id")
    direct = 0
    for building, category, lonlat in shown:
        way = gpd.GeoSeries([shapely.LineString(lonlat)], crs=4326).to_crs(CRS)[0]
        true = table.loc[(building, category)]
        assert way.length == pytest.approx(true["metres"], abs=1.0)
        exact = network.route(homes.geometry[int(building[1:])], services.geometry[true["facility_id"]]).geometry
        assert way.hausdorff_distance(exact) < 0.5
        direct += len(lonlat) == 4
    assert 0 < direct < 120
    page.execute_script("gridmap.app.select('buildings', 0)")
    before = page.execute_script("return document.querySelector('.gm-route.gm-current').title")
    page.execute_script("document.querySelectorAll('.gm-route')[1].click()")
    assert page.execute_script("return gridmap.app.state.category") == 1
    assert page.execute_script("return document.querySelector('.gm-route.gm-current').title") != before


def test_a_facility_shows_whom_it_serves(opened, town):
    page = opened(town["plan"], town["cover"])
    nearest = town["cover"].reach.merge(town["buildings"][["building_id", "households"]], on="building_id")
    nearest = nearest[nearest["households"] > 0]
    for row, facility in enumerate(town["facilities"]["facility_id"]):
        page.execute_script("gridmap.app.select('facilities', arguments[0])", row)
        own = nearest[nearest["facility_id"] == facility]
        if not town["cover"].counted[row]:
            assert fact(page, "near") is None
            continue
        assert fact(page, "near") == f"{own['households'].sum():,.0f}"
        assert fact(page, "served") == f"{own['households'][own['covered']].sum():,.0f}"


def test_a_grid_shows_its_rank_and_what_is_nearest(opened, town):
    page = opened(town["plan"], town["cover"])
    reach = town["cover"].reach.merge(town["plan"].assignment, on="building_id")
    page.execute_script("gridmap.app.select('grids', 1)")
    assert [fact(page, "rank-households"), fact(page, "rank-density")] == ["3", "3"]  # 355 of 412, 355 and 612
    grid = town["grids"]["grid_id"][1]
    for category, own in reach[reach["grid_id"] == grid].groupby("category"):
        everyone = np.sort(np.repeat(own["metres"], own["households"].astype(int)))
        half = everyone[(len(everyone) + 1) // 2 - 1]
        shown = page.execute_script(
            "return document.querySelector(`.gm-bar[data-category='${arguments[0]}']`).parentNode.innerText", category
        )
        assert f"within {round(half, 1):g} m for half of the households" in shown


@pytest.mark.parametrize(
    ("typed", "kind", "row"),
    [
        ("110101001002003", "grids", 5),
        ("幸福小区", "compounds", 0),
        ("和平", "communities", 1),
        ("卫生服务站", "facilities", 7),
    ],
)
def test_search_finds_codes_and_chinese_names(opened, town, typed, kind, row):
    from selenium.webdriver import Keys

    page = opened(town["plan"], town["cover"], lang="zh")
    box = page.find_element("id", "gm-search")
    box.send_keys(typed)
    wait(page, "return document.querySelectorAll('#gm-results [role=option]').length > 0")
    box.send_keys(Keys.ARROW_DOWN, Keys.ENTER)
    wait(page, f"return gridmap.app.state.selected && gridmap.app.state.selected.kind === '{kind}'")
    assert page.execute_script("return gridmap.app.state.selected.row") == row
    box.clear()
    box.send_keys("不存在的名字")
    wait(page, "return document.querySelector('#gm-results .gm-nothing')")


def test_the_legend_follows_the_colours(opened, town):
    page = opened(town["plan"], town["cover"], town["circles"])
    legend = '.gm-layer[data-layer="grids"] .gm-classes'
    assert "301" not in text_of(page, legend)
    assert "300–400 households" in text_of(page, legend)
    page.execute_script("gridmap.app.setTheme(1)")
    shares = re.findall(r"(\d+)–(\d+) %", text_of(page, legend))
    rates = town["cover"].rate(by=town["plan"]).query("category == 'clinic' and total > 0")["rate"]
    assert shares
    assert all(any(float(low) <= 100 * rate <= float(high) for low, high in shares) for rate in rates)
    page.execute_script("gridmap.app.show('circles', true)")
    assert words("en")["theme.circles"] in text_of(page, legend)
    shown = text_of(page, '.gm-layer[data-layer="circles"] .gm-classes')
    assert [f"Within {n} min" in shown for n in (5, 10, 15)] == [True] * 3


def test_distance_and_area_are_those_of_the_ellipsoid(opened, town):
    from pyproj import Geod

    page = opened(town["plan"])
    corners = [(117.3, 39.9), (117.312, 39.901), (117.309, 39.909)]
    area, around = Geod(ellps="WGS84").polygon_area_perimeter(*zip(*corners, strict=True))
    last = Geod(ellps="WGS84").inv(*corners[2], *corners[0])[2]
    measured = page.execute_script(
        "const p = arguments[0].map(q => ({lng: q[0], lat: q[1]})); return [gridmap.lengthOf(p), gridmap.areaOf(p)]",
        corners,
    )
    assert measured[0] == pytest.approx(around - last, rel=1e-5)
    assert measured[1] == pytest.approx(abs(area), rel=1e-4)
    page.find_element("css selector", "[aria-pressed=false].gm-icon").click()
    spots = town["grids"].to_crs(4326).geometry.representative_point()
    for row in (0, 1, 4):
        click_map(page, spots[row].x, spots[row].y)
    assert page.execute_script("return gridmap.app.state.selected") is None
    # two sides of squares of 200 m on the plane of the map, and half of such a square
    assert re.fullmatch(r"Distance (399|400)(\.\d)? m, area 2 ha", text_of(page, ".gm-measure"))
    from selenium.webdriver import ActionChains, Keys

    ActionChains(page).send_keys(Keys.ESCAPE).perform()
    assert page.execute_script("return document.querySelector('.gm-measure').hidden")
    click_map(page, spots[0].x, spots[0].y)
    wait(page, "return gridmap.app.state.selected && gridmap.app.state.selected.kind === 'grids'")


def test_the_keyboard_chooses_what_is_in_the_middle(opened, town):
    from selenium.webdriver import Keys

    page = opened(town["plan"])
    spot = town["grids"].to_crs(4326).geometry.representative_point()[3]
    page.execute_script("gridmap.app.map.setView([arguments[1], arguments[0]], 16, {animate: false})", spot.x, spot.y)
    box = page.find_element("css selector", ".folium-map")
    box.send_keys(Keys.ENTER)
    wait(page, "return gridmap.app.state.selected && gridmap.app.state.selected.row === 3")
    told = text_of(page, ".gm-readout")
    assert f"{spot.y:.3f}" in told
    assert f"{spot.x:.3f}" in told


def test_the_keyboard_reaches_everything(opened, town):
    from selenium.webdriver import ActionChains, Keys

    page = opened(town["plan"], town["cover"], town["circles"])
    reached = set()
    for _ in range(80):
        ActionChains(page).send_keys(Keys.TAB).perform()
        reached.add(page.execute_script("const a = document.activeElement; return a.id || a.className || a.tagName"))
    assert {"gm-search", "gm-layer-grids", "gm-layer-circles", "gm-theme", "gm-service"} <= reached
    assert any("gm-bar" in r for r in reached)
    unnamed = page.execute_script(
        """
        return Array.from(document.querySelectorAll('button, input, select')).filter(e =>
          !(e.innerText || e.getAttribute('aria-label') || (e.labels && e.labels.length))).map(e => e.outerHTML);
        """
    )
    assert unnamed == []
    page.execute_script("gridmap.app.select('grids', 0)")
    ActionChains(page).send_keys(Keys.ESCAPE).perform()
    assert page.execute_script("return gridmap.app.state.selected") is None


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_page_speaks_one_language(opened, lang):
    names = NAMES if lang == "zh" else tuple(f"Grid {i}" for i in range(6))
    quiet = make_town(
        names=("第三网格" if n == "Third" else n for n in names) if lang == "zh" else names, facility_names=("一", "二")
    )
    layers = quiet["plan"], quiet["cover"], quiet["circles"], quiet["cover"].gaps()
    page = opened(*layers, lang=lang)
    said = [text_of(page, "#gm-app")]
    for kind, row in (
        ("grids", 2),
        ("grids", 4),
        ("communities", 0),
        ("compounds", 0),
        ("facilities", 0),
        ("buildings", 1),
    ):
        page.execute_script("gridmap.app.select(arguments[0], arguments[1])", kind, row)
        said.append(text_of(page, ".gm-details"))
    page.execute_script("for (const l of gridmap.app.layers) gridmap.app.show(l.key, true)")
    said.append(text_of(page, ".gm-legend"))
    said += page.execute_script(
        """
        const out = [];
        for (const e of document.querySelectorAll('*')) {
          for (const n of ['aria-label', 'title', 'placeholder']) if (e.hasAttribute(n)) out.push(e.getAttribute(n));
        }
        return out.concat(Array.from(document.querySelectorAll('option'), o => o.textContent));
        """
    )
    text = "\n".join(said)
    assert len(text) > 500
    assert "undefined" not in text
    assert not re.search(r"\{\w+\}|\b(?:layer|panel|fact|class|section)\.\w+", text)
    if lang == "zh":
        assert re.findall(r"[A-Za-z]{3,}", LATIN.sub("", text)) == []
    else:
        own = "".join(quiet["facilities"].name) + "".join(quiet["compounds"].name) + "菜鸟驿站长安街幸福路"
        assert set(re.findall("[\u4e00-\u9fff]", text)) <= set(own)


def test_a_switch_says_all_that_a_page_of_the_other_language_says(opened, town):
    layers = town["plan"], town["cover"], town["circles"], ({"en": "Old", "zh": "旧"}, town["grids"])
    title = {"en": "A town", "zh": "小镇"}
    chosen = [(None, 0), ("grids", 2), ("communities", 0), ("buildings", 1), ("facilities", 3)]

    def read(page):
        said = []
        for kind, row in chosen:
            page.execute_script("gridmap.app.select(arguments[0], arguments[1])", kind, row)
            said.append(page.execute_script("document.querySelector('.gm-language')?.remove(); return document.title"))
            said.append(text_of(page, "#gm-app"))
        page.execute_script("for (const l of gridmap.app.layers) gridmap.app.show(l.key, true)")
        return [*said, text_of(page, ".gm-legend"), page.execute_script("return document.documentElement.lang")]

    alone = {lang: read(opened(*layers, lang=lang, title=title)) for lang in ("en", "zh")}
    assert alone["zh"] != alone["en"]
    page = opened(*layers, lang=("en", "zh"), title=title)
    page.execute_script("gridmap.app.select('grids', 2); gridmap.app.setTheme(1)")
    page.find_element("css selector", ".gm-language").click()
    assert page.execute_script("return [gridmap.app.state.selected.row, gridmap.app.state.theme]") == [2, 1]
    page.execute_script("gridmap.app.setTheme(0)")
    assert read(page) == alone["zh"]
    page = opened(*layers, lang="both", title=title)
    page.find_element("css selector", ".gm-language").click()
    page.find_element("css selector", ".gm-language").click()
    assert read(page) == alone["zh"]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_hostile_names_stay_names(opened, lang):
    mean = make_town(names=HOSTILE[:6])
    mean["communities"]["name"] = HOSTILE[:2]
    mean["compounds"]["name"] = HOSTILE[1]
    own = mean["communities"].rename(columns={"name": HOSTILE[0], "name_en": HOSTILE[1]})
    page = opened(
        mean["plan"],
        mean["cover"],
        (HOSTILE[1], own[[HOSTILE[0], HOSTILE[1], "geometry"]]),
        lang=lang,
        title=HOSTILE[0],
    )
    assert text_of(page, "h1") == HOSTILE[0]
    for row in range(6):
        page.execute_script("gridmap.app.select('grids', arguments[0], true)", row)
        assert text_of(page, ".gm-heading h2").strip() == re.sub(r"\s+", " ", HOSTILE[row]).strip()
    for row in range(len(HOSTILE)):
        page.execute_script("gridmap.app.select('facilities', arguments[0], true)", row)
    page.execute_script("gridmap.app.select('own0', 0, true)")
    page.find_element("id", "gm-search").send_keys("script")
    wait(page, "return document.querySelectorAll('#gm-results [role=option]').length > 0")
    assert page.execute_script("return window.broken") is None
    assert page.execute_script("return document.querySelectorAll('#gm-app img, #gm-app script').length") == 0
    sides = page.execute_script(
        "return Array.from(document.querySelectorAll('.gm-details, .gm-legend'), e => e.scrollWidth - e.clientWidth)"
    )
    assert max(sides) <= 1


@pytest.mark.parametrize("width", [380, 760, 1100, 1500])
def test_no_text_is_cut_at_any_width(opened, town, width):
    page = opened(town["plan"], town["cover"], town["circles"])
    page.set_window_size(width, 850)
    wait(page, f"return window.innerWidth <= {max(width, 520)}")
    page.execute_script("gridmap.app.select('grids', 2)")
    cut = page.execute_script(
        """
        const out = [];
        for (const e of document.querySelectorAll('.gm-details *, .gm-top *, .gm-legend *')) {
          if (e.offsetParent === null || !e.innerText || e.tagName === 'SELECT' || e.closest('.gm-gauge')) continue;
          const style = getComputedStyle(e);
          if (style.overflowX !== 'visible' && e.scrollWidth > e.clientWidth + 1) out.push(e.outerHTML.slice(0, 200));
        }
        if (document.documentElement.scrollWidth > window.innerWidth) out.push('the page is wider than the window');
        return out;
        """
    )
    assert cut == []


def test_children_of_folium_are_drawn_over_the_map(opened, town):
    import folium

    made = explore(town["plan"], date=DAY)
    spot = town["grids"].to_crs(4326).geometry[0].centroid
    folium.Marker([spot.y, spot.x], popup="here").add_to(made)
    folium.CircleMarker([spot.y, spot.x]).add_to(made)
    page = opened(page=made.get_root().render())
    assert page.execute_script("return document.querySelector('.leaflet-marker-icon').naturalWidth") > 0
    assert page.execute_script("return document.querySelectorAll('.leaflet-overlay-pane path').length") == 1
    page.execute_script("document.querySelector('.leaflet-marker-icon').click()")
    wait(page, "return document.querySelector('.leaflet-popup-content')")
    assert text_of(page, ".leaflet-popup-content") == "here"


def test_a_notebook_frame_shows_it_too(opened, town):
    page = opened(page=f"<!doctype html><body>{explore(town['plan'], date=DAY)._repr_html_()}")
    assert text_of(page, "h1") == words("en")["title.grids"]
    page.switch_to.default_content()


def test_it_prints_on_one_sheet_and_comes_back(opened, town):
    marks = {"approval_number": "京S(2026)018号", "internal": True, "attribution": "统计局"}
    page = opened(town["plan"], town["cover"], town["circles"], lang="zh", **marks)
    before = page.execute_script(
        "const m = gridmap.app.map; return [m.getZoom(), m.getCenter().lat, m.getCenter().lng]"
    )
    pdf = base64.b64decode(
        page.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True, "printBackground": True})["data"]
    )
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) == 1
    after = page.execute_script("const m = gridmap.app.map; return [m.getZoom(), m.getCenter().lat, m.getCenter().lng]")
    assert after == pytest.approx(before, abs=1e-5)
    page.execute_script("window.dispatchEvent(new Event('beforeprint'))")
    boxes = page.execute_script(
        """
        return ['.gm-top', '.gm-legend', '.gm-stage', '.gm-details', '.gm-block'].map(s => {
          const b = document.querySelector(s).getBoundingClientRect();
          return [b.left, b.top, b.right, b.bottom];
        });
        """
    )
    for k, one in enumerate(boxes):
        for two in boxes[k + 1 :]:
            assert one[2] <= two[0] + 1 or two[2] <= one[0] + 1 or one[3] <= two[1] + 1 or two[3] <= one[1] + 1
    assert page.execute_script("return document.querySelector('.gm-buttons').offsetParent") is None
    block = text_of(page, ".gm-block")
    for said in ("比例尺 1:", "审图号：京S(2026)018号", "内部资料", "数据来源：统计局", f"制图日期：{DAY}", "北"):
        assert said in block
    # a metre of paper in the middle of the map, which a style sheet's pixels of 1/96 inch measure
    stated, ground, pixels = page.execute_script(
        """
        const m = gridmap.app.map, size = m.getSize(), y = size.y / 2;
        const far = m.distance(m.containerPointToLatLng([0, y]), m.containerPointToLatLng([size.x, y]));
        return [+document.querySelector('.gm-block-scale').dataset.scale, far, size.x];
        """
    )
    assert ground / (pixels / 96 * 0.0254) == pytest.approx(stated, rel=0.002)
    assert stated in (1000, 1500, 2000, 2500, 3000, 4000, 5000)
    cut = page.execute_script(
        "return ['.gm-legend', '.gm-details', '.gm-block'].map(s => document.querySelector(s))"
        ".map(e => e.scrollHeight - e.clientHeight)"
    )
    assert max(cut) <= 1
    page.execute_script("window.dispatchEvent(new Event('afterprint'))")
    assert page.execute_script("return document.querySelector('.gm-buttons').offsetParent") is not None


@pytest.mark.full
def test_a_whole_city_opens_with_all_layers_drawn(opened):
    html = explore(*make_city(), date=DAY).get_root().render()
    assert len(html) < 6_000_000
    page = opened(page=html)
    drawn = page.execute_script(
        """
        for (const layer of gridmap.app.layers) gridmap.app.state.visible[layer.key] = true;
        gridmap.app.show('grids', true);
        return gridmap.app.layers.filter(layer => gridmap.app.state.visible[layer.key]).length;
        """
    )
    assert drawn == page.execute_script("return gridmap.app.layers.length") > 3
