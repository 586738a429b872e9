"""The report: its figures are those of the tables, it needs nothing else, and no name breaks out of its place."""

from __future__ import annotations

import html
import json
import re
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from map_town import HOSTILE, NAMES, frame, make_town

import gridmap as gm
from gridmap.errors import OptionError, WriteError
from gridmap.maps.explore import explore
from gridmap.maps.report import compliance_pages
from gridmap.maps.report.ground import MAIN, PATH, STREET, ground_of
from gridmap.maps.report.report_words import REPORT_WORDS, Say
from gridmap.view.compliance_table import lights, requirements_of
from gridmap.view.compliance_words import requirement_words
from gridmap.view.drawing import Labels, arrow_place, footprints, frame_below_arrow, frame_for, outline, outlines

DAY = "2025-06-01"
PAGES = Path(gm.__file__).parent / "maps" / "report"
# What a Chinese page may say in Latin letters: the program, its call, letters of codes and of map legends.
LATIN = re.compile(r"gridmap [\d.]+|GeoPackage|gaps|A4|1:|[BC]\d+")


@pytest.fixture(scope="module")
def town():
    return make_town()


@pytest.fixture(scope="module")
def plain_town():
    """A town whose names no one has to fear, in English letters where the page is English."""
    return make_town(
        names=("One", "Two", "Three", "Four", "Empty", "Campus"), facility_names=tuple(f"Place {i}" for i in range(8))
    )


class Text(HTMLParser):
    """Cells of tables by row, all tags, and the words of a page but those of its style and its code."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags, self.rows, self.words, self._open = [], [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data):
        if "style" in self._open:
            return
        if {"td", "th"} & set(self._open):
            self.rows[-1][-1] += data
        if "pre" not in self._open:
            self.words.append(data)


@pytest.fixture
def written(tmp_path):
    def write(**options):
        options.setdefault("date", DAY)
        return gm.report(tmp_path / "report.html", **options).read_text("utf-8")

    return write


# -- the file --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_report_asks_for_nothing_and_runs_nothing(written, town, lang):
    page = Text(written(plan=town["plan"], cover=town["cover"], lang=lang))
    assert {tag for tag, _ in page.tags}.isdisjoint({"script", "iframe", "img", "object", "embed", "base", "form"})
    for tag, attributes in page.tags:
        for name, value in attributes.items():
            assert not name.startswith("on"), (tag, name)
            if name in ("src", "href", "xlink:href", "srcset"):
                assert value == "data:,"
    policy = next(a["content"] for tag, a in page.tags if a.get("http-equiv") == "Content-Security-Policy")
    assert "default-src 'none'" in policy
    assert "script-src" not in policy


def test_it_opens_in_a_browser_without_a_request_or_a_complaint(browser, tmp_path, town):
    for lang in ("en", "zh"):
        path = gm.report(tmp_path / f"{lang}.html", plan=town["plan"], cover=town["cover"], lang=lang, date=DAY)
        browser.get(path.as_uri())
        assert browser.execute_script("return window.broken") is None
        assert browser.execute_script("return document.querySelectorAll('svg').length") > 3
        # nothing is wider than its sheet
        wide = """
            const sheet = document.querySelector('section').getBoundingClientRect();
            return [...document.querySelectorAll('section *:not(svg *)')]
                .filter(e => e.getBoundingClientRect().right > sheet.right + 1).map(e => e.outerHTML.slice(0, 80));
        """
        assert browser.execute_script(wide) == []
    requests = []
    for entry in browser.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            requests.append(message["params"]["request"]["url"])
    assert [r for r in requests if not r.startswith(("file:", "data:", "chrome:"))] == []
    assert [e for e in browser.get_log("browser") if e["level"] == "SEVERE"] == []


def test_the_same_input_makes_the_same_bytes(written, town):
    first = written(plan=town["plan"], cover=town["cover"])
    assert written(plan=town["plan"], cover=town["cover"]) == first
    assert written(plan=town["plan"], cover=town["cover"], lang="zh") != first


def test_what_cannot_be_reported_is_refused(tmp_path, town):
    path = tmp_path / "report.html"
    with pytest.raises(OptionError, match="plan=, cover="):
        gm.report(path)
    with pytest.raises(OptionError, match="sites="):
        gm.report(path, plan=town["plan"], sites=town["facilities"])
    with pytest.raises(OptionError, match=r"\.html or \.pdf"):
        gm.report(tmp_path / "report.docx", plan=town["plan"])
    with pytest.raises(OptionError, match="'zh'"):
        gm.report(path, plan=town["plan"], lang="fr")
    with pytest.raises(WriteError, match="no folder"):
        gm.report(tmp_path / "absent" / "report.html", plan=town["plan"])
    assert list(tmp_path.iterdir()) == []


# -- figures ---------------------------------------------------------------------------------------------------------


def test_figures_are_those_of_the_tables(written, town):
    page = Text(written(plan=town["plan"], cover=town["cover"]))
    words = " ".join(page.words)
    assert f"{town['grids']['households'].sum():,.0f}" in words
    assert "2 of 4 that the band applies to" in words
    assert "50.0 %" in words
    for row in town["cover"].rate().to_dict("records"):
        covered, rest = f"{row['covered']:,.0f}", f"{row['total'] - row['covered']:,.0f}"
        share = f"{100 * row['rate']:.1f} %"
        assert any(r[3:6] == [covered, rest, share] for r in page.rows), row
    community = town["cover"].rate(by=town["communities"]).set_index(["unit_id", "category"])
    rows = {r[0]: r[1:] for r in page.rows if r and r[0] in ("Happiness", "Peace") and len(r) > 9 and "," not in r[1]}
    assert set(rows) == {"Happiness", "Peace"}
    clinic = community.loc[("110101001001", "clinic")]
    both = [r for r in page.rows if r and r[0] == "Happiness" and r[1] == f"{clinic['total']:,.0f}"]
    shown = f"{100 * clinic['rate']:.1f} %" if clinic["rate"] not in (0, 1) else f"{100 * clinic['rate']:.0f} %"
    assert shown in both[0]


def test_grids_out_of_the_band_come_first_with_reason_and_cure(written, town):
    page = Text(written(plan=town["plan"]))
    order = [r[0] for r in page.rows if r and re.fullmatch(r"\d{15}", r[0])]
    assert order[:2] == ["110101001001003", "110101001002001"]
    row = next(r for r in page.rows if r[0] == "110101001001003")
    assert row[2] == "612"
    assert "112 above 500" in row[4]
    assert "Split it into 2 of about 306" in row[5]
    assert sorted(order[2:]) == sorted(town["grids"]["grid_id"])


@pytest.mark.parametrize(
    ("proof", "sentence"),
    [
        ({"kind": "component_total", "total": 270}, "all that is connected there counts 270"),
        ({"kind": "atom_above_upper", "atom": "b:7", "atom_weight": 612}, "b:7, counts 612 by itself"),
        ({"kind": "pendant", "atoms": ["a", "b"], "root": "c"}, "2 pieces are joined to the rest only through c"),
        ({"kind": "exhaustive", "atoms": list("abc")}, "every way to divide the 3 pieces"),
        ({"kind": "mip", "atoms": list("abcd")}, "the 4 pieces there have no division"),
        ({"kind": "not_found"}, "is not proved"),
    ],
)
def test_certificates_are_told_in_words(proof, sentence):
    from gridmap.maps.report.grid_pages import why_words

    finding = {"certificate": json.dumps(proof | {"lower": 300, "upper": 500, "weight": 270})}
    assert sentence in why_words(finding, Say("en"))
    assert re.search("[\u4e00-\u9fff]", why_words(finding, Say("zh")))


def test_blind_spots_are_ranked_as_the_cover_ranks_them(written, town):
    gaps = town["cover"].gaps()
    page = written(cover=town["cover"])
    titles = [int(n) for n in re.findall(r"<h4>(\d+)\. ", page)]
    assert titles == list(range(1, min(9, len(gaps)) + 1))
    assert f"{gaps['households'].iloc[0]:,.0f} households in {gaps['buildings'].iloc[0]} building" in page


STANDARDS = ["GB 50180-2018", "city check", "quarter-hour circle 2021", "complete community 2020"]


@pytest.mark.parametrize("by", ["plan", "communities"])
def test_compliance_is_that_of_the_table(written, plain_town, by):
    plan, cover = plain_town["plan"], plain_town["cover"]
    table = cover.compliance(STANDARDS, by=plan if by == "plan" else plan.communities, share=0.9)
    rows = Text(written(plan=plan, cover=cover, compliance=table)).rows
    wide = lights(table)
    words = [requirement_words(row, "en") for row in requirements_of(table).to_dict("records")]
    applies = (wide != "does_not_apply").any()
    names = {word for word, any_unit in zip(words, applies, strict=True) if any_unit}
    counted = [r for r in rows if r and r[0].removesuffix(" *") in names and len(r) == 8 and r[-1] != ""]
    judged = wide.loc[:, applies]
    # of each requirement how many units have it, and a cell a unit that tells the share that is there
    told = [
        r[3:7] for r in counted if r[2] in ("standard's wording", "secondary source", "sources differ", "not verified")
    ]
    statuses = ("met", "partly", "not_met", "no_data")
    assert told == [[str(n) if n else "" for n in ((judged[c] == s).sum() for s in statuses)] for c in judged]
    units = len(wide)
    cells = [r for r in rows if r and r[0] in words and r[1].removesuffix(" %").isdigit() | (r[1] in ("?", "–"))]
    assert [r[0] for r in cells] == [word for word, any_unit in zip(words, applies, strict=True) if any_unit]
    for row, requirement in zip(cells, judged, strict=True):
        for shown, status in zip(row[1 : units + 1], judged[requirement], strict=True):
            assert (shown == "?") == (status == "no_data")
            assert (shown == "–") == (status == "does_not_apply")
            assert (shown == "0 %") == (status == "not_met")


def test_compliance_speaks_the_language_of_the_page(written, plain_town):
    plan, cover = plain_town["plan"], plain_town["cover"]
    table = cover.compliance(STANDARDS, by=plan)
    english = " ".join(Text(written(plan=plan, cover=cover, compliance=table)).words)
    for name in ("长安街", "幸福路", "幸福小区", "菜鸟驿站", *NAMES):
        english = english.replace(name, "")
    assert not re.search("[\u4e00-\u9fff]", english)
    chinese = " ".join(Text(written(plan=plan, cover=cover, compliance=table, lang="zh")).words)
    for name in ("One", "Two", "Three", "Four", "Empty", "Campus", "GB 50180-2018"):
        chinese = chinese.replace(name, "")
    assert re.findall(r"[A-Za-z]{2,}", LATIN.sub("", chinese)) == []
    for page in (english, chinese):
        assert "_" not in page


def test_compliance_of_very_many_units_is_left_to_the_workbook(written, town, monkeypatch):
    cover, plan = town["cover"], town["plan"]
    assert "Compliance" not in written(cover=cover)
    assert "Whole area" in written(cover=cover, compliance=cover.compliance("city check"))
    monkeypatch.setattr(compliance_pages, "_MOST_UNITS", 5)
    page = written(cover=cover, compliance=cover.compliance("city check", by=plan))
    assert "There are 6 units; the workbook has all of them." in page


def test_the_call_makes_the_compliance_again(written, town):
    plan, cover = town["plan"], town["cover"]
    table = cover.compliance(STANDARDS[:2], by=plan, share=0.9, areas="built")
    page = html.unescape(written(plan=plan, cover=cover, compliance=table))
    code = page.split("<pre", 1)[1].split(">", 1)[1].split("</pre>")[0]
    compile(code, "call", "exec")
    call = "compliance = cover.compliance(['GB 50180-2018', 'city check'], by=plan, share=0.9, areas='built')"
    assert call in code
    assert "plan=plan, cover=cover, compliance=compliance" in code


def test_the_call_makes_the_report_again(written, town):
    page = html.unescape(written(plan=town["plan"], cover=town["cover"], lang="zh"))
    code = page.split("<pre", 1)[1].split(">", 1)[1].split("</pre>")[0]
    compile(code, "call", "exec")
    assert "gm.report('report.html', plan=plan, cover=cover, lang='zh')" in code
    assert "lower=300, upper=500" in code
    assert "metres={'clinic': 120.0, 'kindergarten': 200.0, 'market': 90.0}, how='straight'" in code


# -- words -----------------------------------------------------------------------------------------------------------


def test_hostile_names_stay_words(written, town):
    for lang in ("en", "zh"):
        page = written(plan=town["plan"], cover=town["cover"], lang=lang, title=HOSTILE[0], notes=HOSTILE)
        assert "<script>" not in page
        assert "<img" not in page
        assert html.escape(HOSTILE[0]) in page


def test_no_page_mixes_languages(written, plain_town):
    english = " ".join(Text(written(plan=plain_town["plan"], cover=plain_town["cover"])).words)
    known = {"长安街", "幸福路", "幸福小区", "菜鸟驿站", *NAMES}  # names that the data has in Chinese only
    for name in known:
        english = english.replace(name, "")
    assert not re.search("[\u4e00-\u9fff]", english)
    chinese = " ".join(Text(written(plan=plain_town["plan"], cover=plain_town["cover"], lang="zh")).words)
    for name in ("One", "Two", "Three", "Four", "Empty", "Campus"):
        chinese = chinese.replace(name, "")
    assert re.findall(r"[A-Za-z]{2,}", LATIN.sub("", chinese)) == []


def test_every_word_is_there_in_both_languages():
    for key, (english, chinese) in REPORT_WORDS.items():
        assert sorted(re.findall(r"\{\w+\}", english)) == sorted(re.findall(r"\{\w+\}", chinese)), key
        assert not re.search("[\u4e00-\u9fff]", english), key
        assert not re.search(r"[A-Za-z]{2,}", re.sub(r"\{\w+\}|gridmap|GeoPackage|gaps", "", chinese)), key


def test_shares_are_never_rounded_to_all_or_none():
    say = Say("en")
    assert [say.share(v) for v in (0, 0.0001, 0.5, 0.99999, 1)] == ["0.0 %", "0.1 %", "50.0 %", "99.9 %", "100.0 %"]
    assert say.share(float("nan")) == say.number(float("nan")) == "–"


# -- PDF -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_pdf_has_pages_and_its_fonts_in_it(tmp_path, town, lang):
    made = gm.report(tmp_path / "report.pdf", plan=town["plan"], cover=town["cover"], lang=lang, title=HOSTILE[2])
    data = made.read_bytes()
    assert data.startswith(b"%PDF")
    assert 4 <= len(re.findall(rb"/Type\s*/Page\b(?!s)", data)) <= 12
    assert b"/FontFile" in data
    # A4 upright, in points
    assert re.search(rb"/MediaBox\s*\[0 0 595\.\d+ 841\.\d+\]", data)


def test_a_pdf_without_its_package_names_the_remedy(monkeypatch, tmp_path, town):
    monkeypatch.setitem(sys.modules, "typst", None)
    with pytest.raises(OptionError, match=r"gridmap-planner\[pdf\]"):
        gm.report(tmp_path / "report.pdf", plan=town["plan"])
    assert list(tmp_path.iterdir()) == []


# -- drawing ---------------------------------------------------------------------------------------------------------


def test_outlines_are_the_shapes_rounded_to_whole_units():
    frame = frame_for((0, 0, 100, 100), 1000, 1000, margin=0)
    ring = shapely.Polygon([(10, 10), (90, 10), (90, 90), (10, 90)], [[(30, 30), (40, 30), (40, 40)]])
    data = outline(np.array([ring, shapely.LineString([(0, 50), (50, 50)])]), frame)
    area = 0.0
    for start, steps in re.findall(r"M(-?\d+ -?\d+)l([-\d ]+)z", data):
        corners = np.array(re.findall(r"-?\d+", f"{start} {steps}"), dtype=float).reshape(-1, 2).cumsum(axis=0) / 10
        area += shapely.Polygon(corners).area * (-1 if len(corners) == 3 else 1)
    assert area == pytest.approx(80 * 80 - 50)
    assert data.count("z") == 2
    assert data.endswith("M0 500l500 0")
    assert " -" not in data


def test_what_lies_outside_the_frame_is_not_drawn():
    frame = frame_for((0, 0, 100, 100), 1000, 1000, margin=0)
    shapes = np.array([shapely.box(500, 500, 600, 600), shapely.box(-1000, 20, 1000, 40), shapely.Point(5, 5), None])
    drawn = outlines(shapes, frame)
    assert [bool(d) for d in drawn] == [False, True, False, False]
    assert max(map(abs, map(int, re.findall(r"-?\d+", drawn[1])))) <= 1040


def test_labels_never_overlap():
    frame = frame_for((0, 0, 100, 100), 1000, 1000)
    labels = Labels(frame)
    assert labels.write(500, 500, "001", 24)
    assert labels.write(510, 505, "002", 24) == ""
    assert labels.write(500, 560, "003", 24)
    assert labels.write(5, 5, "at the edge", 24) == ""


def test_buildings_too_small_for_a_shape_are_specks():
    frame = frame_for((0, 0, 1000, 1000), 1000, 1000, margin=0)
    one, beside, large = shapely.box(10, 10, 11, 11), shapely.box(11, 10, 12, 11), shapely.box(500, 500, 600, 600)
    assert footprints(np.array([one]), frame).count("M") == 1
    assert footprints(np.array([one, beside]), frame).count("M") == 1  # the same square of the raster, or the next
    assert footprints(np.array([one, large, shapely.Point(900, 900)]), frame).count("M") == 3
    assert footprints(np.array([large]), frame) == outline(np.array([large]), frame)
    assert footprints(np.array([], dtype=object), frame) == ""


def test_streets_and_barriers_are_of_one_kind_on_paper_and_on_the_map(town):
    """A word that one of them knows, the other knows: classes come from one table."""
    named = ["trunk_link", "secondary", "tertiary", "residential", None, "steps", "tram"]
    streets = frame({"class": named}, [shapely.LineString([(k, 0), (k, 9)]) for k in range(7)])
    kinds = ["Canal", "metro", "wall", None]
    barriers = frame({"kind": kinds, "hard": [True] * 4}, [shapely.LineString([(k, 0), (k, 9)]) for k in range(4)])
    layers = explore(town["communities"], streets, barriers, date=DAY).payload["layers"]
    assert layers["streets"]["rank"] == "0112234"
    assert layers["barriers"]["code"] == "0122"
    ground = ground_of(replace(town["plan"], streets=streets, barriers=barriers), None, "en")
    assert ground.street_kinds.tolist() == [MAIN, MAIN, STREET, STREET, STREET, PATH, STREET]
    assert ground.water.tolist() == [True, False, False, False]


@given(st.tuples(*[st.floats(10, 3000)] * 2), st.integers(300, 1800), st.floats(0.01, 0.1), st.floats(0, 0.9))
def test_nothing_that_a_map_is_about_lies_under_its_north_arrow(size, height, margin, cut):
    """A rectangle, cut off at its north-eastern corner by a share, is wholly in the picture and clear of the arrow."""
    (wide, high) = size
    shape = shapely.box(0, 0, wide, high).difference(shapely.box((1 - cut) * wide, (1 - cut) * high, wide, high))
    picture = frame_below_arrow(np.array([shape]), 1800, height, margin)
    x, y, width, tall = arrow_place(picture)
    seen = shapely.Polygon(picture.units(shapely.get_coordinates(shape)))
    assert seen.within(shapely.box(-1, -1, picture.width + 1, picture.height + 1))
    assert not seen.intersects(shapely.box(x - width / 2 + 1, 0, picture.width, y + tall / 2 - 1))
