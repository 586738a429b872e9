"""Maps: how long a page takes to write and to open, how large it is, and whether it ever keeps the reader waiting.

    python benchmarks/maps.py                  # 20,000 polygons and 25,000 grids
    python benchmarks/maps.py --las-palmas     # and the whole city: some minutes of analysis before
    python benchmarks/maps.py --peers          # 20,000 polygons by folium, and by lonboard where it is installed

Prints Markdown. Pages are opened in headless Chromium with the network blocked. "Drawn" is the time from the start of
loading until all layers there are have been switched on and painted; a long task is what keeps the page from answering
for more than 50 ms, measured by the browser itself while the map is moved, zoomed and searched.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import shapely
from runs import HERE

import gridmap as gm

if TYPE_CHECKING:
    from collections.abc import Callable

_CRS = 32650
# Put into the page before anything of it runs.
_WATCH = """
window.long = [];
new PerformanceObserver(list => list.getEntries().forEach(e => window.long.push(Math.round(e.duration))))
  .observe({type: 'longtask', buffered: true});
new MutationObserver((all, self) => {
  if (document.documentElement.getAttribute('data-gridmap') !== 'ready') return;
  self.disconnect();
  const app = gridmap.app;
  window.opened = performance.now();
  app.layers.forEach(layer => { app.state.visible[layer.key] = true; });
  app.changed();
  const look = () => { if (app.busy()) requestAnimationFrame(look); else window.drawn = performance.now(); };
  requestAnimationFrame(look);
}).observe(document, {attributes: true, subtree: true, attributeFilter: ['data-gridmap']});
"""
_STEPS = {
    "pan": "gridmap.app.map.panBy([240, 130], {animate: false})",
    "zoom": "gridmap.app.map.setZoom(gridmap.app.map.getZoom() + 1, {animate: false})",
    "search": (
        "const box = document.getElementById('gm-search'); box.value = '0123';box.dispatchEvent(new Event('input'))"
    ),
    "point": (
        "const m = gridmap.app.map, box = m.getContainer();"
        "box.dispatchEvent(new MouseEvent('mousemove', {bubbles: true, clientX: 600, clientY: 400}))"
    ),
    "click": "const m = gridmap.app.map; m.fire('click', {latlng: m.getCenter()})",
}


def tiles(count: int, corners: int = 4) -> list[shapely.Polygon]:
    """Areas side by side with crooked common borders: at least so many, of four times `corners` vertices each."""
    side, width = int(np.ceil(count**0.5)), 200.0
    random = np.random.default_rng(0)
    steps = corners * side
    x, y = np.meshgrid(np.arange(steps + 1) * width / corners, np.arange(steps + 1) * width / corners)
    x, y = x + random.uniform(-9, 9, x.shape) + 447_000, y + random.uniform(-9, 9, y.shape) + 4_417_000
    out = []
    for i in range(side):
        for j in range(side):
            a, b, c, d = corners * i, corners * (i + 1), corners * j, corners * (j + 1)
            ring = [(k, c) for k in range(a, b)] + [(b, k) for k in range(c, d)]
            ring += [(k, d) for k in range(b, a, -1)] + [(a, k) for k in range(d, c, -1)]
            rows, columns = np.array(ring).T
            out.append(shapely.Polygon(np.column_stack((x[rows, columns], y[rows, columns]))))
    return out[:count]


def polygons() -> list[Any]:
    """20,000 polygons with two attributes."""
    shapes = tiles(20_000)
    random = np.random.default_rng(1)
    columns = {"name": [f"plot {i}" for i in range(len(shapes))], "value": random.uniform(0, 100, len(shapes)).round(2)}
    return [("Plots", gpd.GeoDataFrame(columns, geometry=shapes, crs=_CRS))]


def large_city() -> list[Any]:
    """25,000 grids of 500 communities."""
    shapes = tiles(25_000)
    random = np.random.default_rng(2)
    owner = np.arange(len(shapes)) // 50
    codes = [f"{110101001000 + c}{i % 50 + 1:03d}" for i, c in enumerate(owner)]
    households = random.integers(280, 520, len(shapes)).astype(float)
    columns = {"grid_id": codes, "community_id": (110101001000 + owner).astype(str), "households": households}
    return [gpd.GeoDataFrame(columns, geometry=shapes, crs=_CRS)]


def las_palmas() -> list[Any]:
    """The whole city: plan, coverage, circles and blind spots."""
    from gridmap.job import complete_households

    tables = dict(gm.read_project(HERE / "las_palmas.toml").tables)
    homes, _ = complete_households(tables["buildings"], tables.pop("households"))
    walls = {name: tables[name] for name in ("compounds", "barriers", "entrances")}
    plan = gm.divide(tables["communities"], homes, tables["streets"], **walls, effort="low")
    network = gm.StreetNetwork.from_streets(tables["streets"], **walls)
    inside = homes[homes["building_id"].isin(plan.assignment["building_id"])]
    cover = gm.cover(inside, tables["facilities"], network)
    return [plan, cover, gm.service_circles(tables["facilities"], network, buildings=inside), cover.gaps()]


def write(layers: list[Any], path: Path, **options: Any) -> tuple[float, float]:
    """Seconds to write the page, the better of two, and its megabytes."""
    seconds = []
    for _ in range(2):
        start = time.perf_counter()
        gm.explore(*layers, date="2025-06-01", **options).save(path)
        seconds.append(time.perf_counter() - start)
    return min(seconds), path.stat().st_size / 1e6


def peers(path: Path) -> None:
    """Print how long 20,000 polygons take others, in the same run, and how large their pages are."""
    (_, table), *_ = polygons()
    tools: dict[str, Callable[[], Any]] = {
        "gridmap": lambda: gm.explore(("Plots", table)).save(path),
        "folium (GeoDataFrame.explore)": lambda: table.explore(tooltip=["name", "value"]).save(path),
    }
    if find_spec("lonboard"):
        tools["lonboard"] = lambda: _lonboard(table, path)
    print("| 20,000 polygons | written (s) | ÷ gridmap | MB |\n|---|---:|---:|---:|")
    ours = 0.0
    for name, work in tools.items():
        seconds = []
        for _ in range(3):
            start = time.perf_counter()
            work()
            seconds.append(time.perf_counter() - start)
        median = statistics.median(seconds)
        ours = ours or median
        print(f"| {name} | {median:.2f} | {median / ours:.1f} | {path.stat().st_size / 1e6:.2f} |", flush=True)


def _lonboard(table: gpd.GeoDataFrame, path: Path) -> None:
    import lonboard

    lonboard.viz(table.to_crs(4326)).to_html(path)


def use(path: Path) -> dict[str, Any]:
    """Seconds until the page is open and drawn, and the longest task at opening and at each step."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or shutil.which("google-chrome") or ""
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1500,950"):
        options.add_argument(argument)
    browser = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    try:
        browser.execute_cdp_cmd("Network.enable", {})
        offline = {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0}
        browser.execute_cdp_cmd("Network.emulateNetworkConditions", offline)
        browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": _WATCH})
        browser.get(path.as_uri())
        while not browser.execute_script("return window.drawn"):
            time.sleep(0.05)
        time.sleep(0.5)
        out = {
            "opened": browser.execute_script("return opened") / 1000,
            "drawn": browser.execute_script("return drawn") / 1000,
        }
        out["tasks"] = {"open": browser.execute_script("return Math.max(0, ...long)")}
        for name, step in _STEPS.items():
            longest = 0
            for _ in range(3):
                browser.execute_script("window.long = []; " + f"setTimeout(() => {{ {step} }}, 0)")
                time.sleep(0.8)
                longest = max(longest, browser.execute_script("return Math.max(0, ...long)"))
            out["tasks"][name] = longest
        return out
    finally:
        browser.quit()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--las-palmas", action="store_true", help="also the whole city")
    parser.add_argument("--peers", action="store_true", help="only other tools beside gridmap, not opened")
    arguments = parser.parse_args()
    if arguments.peers:
        with tempfile.TemporaryDirectory() as folder:
            peers(Path(folder) / "map.html")
        return
    cases: dict[str, tuple[Callable[[], list[Any]], dict[str, Any]]] = {
        "20,000 polygons": (polygons, {}),
        "25,000 grids": (large_city, {}),
    }
    print(
        "| page | written (s) | MB | opened (s) | drawn (s) | longest task (ms): " + ", ".join(["open", *_STEPS]) + " |"
    )
    print("|---|---:|---:|---:|---:|---|")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "map.html"
        if arguments.las_palmas:
            city = las_palmas()
            cases["Las Palmas"] = (lambda: city, {"routes": False})
            cases["Las Palmas with routes"] = (lambda: city, {"routes": True})
            cases["Las Palmas with editing"] = (lambda: city[:1], {"edit": True})
        for name, (make, options) in cases.items():
            seconds, megabytes = write(make(), path, **options)
            used = use(path)
            tasks = ", ".join(str(ms) for ms in used["tasks"].values())
            print(
                f"| {name} | {seconds:.2f} | {megabytes:.2f} | {used['opened']:.2f} | {used['drawn']:.2f} | {tasks} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
