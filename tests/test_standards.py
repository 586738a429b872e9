"""Standards as data: every number is traced to the row it is from, and what a planner's own file may say."""

from __future__ import annotations

import re

import pandas as pd
import pytest
from conftest import absent

import gridmap as gm
from gridmap.standards.rules import RULES, STATES, TIERS
from gridmap.tables.categories import facility_categories

SHIPPED = gm.list_standards()["standard"].tolist()
#: Units of the source table in those of the standards.
FACTORS = {"km": ("metres", 1000), "ha": ("m2", 10_000)}


@pytest.fixture(scope="module")
def source(data_dir) -> dict[str, dict[str, str]]:
    """Rows of all tables of the collected facts by their id."""
    path = data_dir.parent / "standards.md"
    if not path.is_file():
        absent("the table of facts about standards (standards.md)", "it lies beside the folder of real data")
    rows: dict[str, dict[str, str]] = {}
    head: list[str] | None = None
    for line in path.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]
        if not line.startswith("|"):
            head = None
        elif head is None:
            head = cells
        elif set(line) - set("|-: ") and head[0] == "id":
            assert cells[0] not in rows, cells[0]
            rows[cells[0]] = dict(zip(head, cells, strict=True))
    return rows


def _numbers(row: dict[str, str]) -> set[tuple[float, str]]:
    """Numbers that a row of the source states, as such and in our units."""
    stated = " ".join(row.get(column, "") for column in ("min", "max", "value", "minutes"))
    unit = row.get("unit", "")
    out = set()
    for number, own in re.findall(r"(?<![\w.])(\d+(?:\.\d+)?)\s*(km|ha)?\b", stated.replace("..", " .. ")):
        ours, factor = FACTORS.get(own or unit, ("", 1))
        out.add((float(number) * factor, ours))
    return out


def _mark(confidence: str) -> str:
    """What our verification state of a row is, from the mark of the source."""
    if confidence.startswith(("secondary-low", "derived")):
        return "unverified"
    if "conflict" in confidence:
        return "conflict"
    return confidence.split(maxsplit=1)[0].strip(";")


def _clause(text: str) -> str:
    return "" if text.startswith(("n/f", "conflict", "-")) else text


@pytest.mark.parametrize("name", SHIPPED)
def test_every_number_is_that_of_its_source(name, source):
    for row in gm.read_standard(name).itertuples():
        first, *others = row.row.split("; ")
        assert re.match(r"X|C\d", first) is None, row.requirement_id
        assert all(other in source for other in others)
        said = source[first]
        found = _numbers(said)
        for number in (row.value, row.value_max):
            if row.rule == "count":
                # a count of one stands in the words alone: 1 处
                assert f"{number:g} 处" in said["quote"] or pd.isna(number)
            elif pd.notna(number):
                assert any(number == value and unit in ("", row.unit) for value, unit in found), (row.row, number)
        assert row.verification == _mark(said["confidence"]), row.row
        # sources without the remarks of who collected them
        assert row.source == re.sub(r" \([^)]*\)", "", said["source"]), row.row
        assert row.quote
        assert row.quote in (said.get("quote") or said["indicator"]).replace("**", ""), row.row
        if row.rule not in ("tiers_apart", "tiers_include_lower"):
            assert row.clause in ("", _clause(said.get("clause", ""))), row.row


def test_conflicts_name_the_other_value(source):
    rows = pd.concat([gm.read_standard(name) for name in SHIPPED])
    conflicts = rows[rows["verification"] == "conflict"]
    assert set(conflicts["row"]) == {"SR-KG", "GR10-width"}
    for row in conflicts.itertuples():
        # the other value stands in the row of the conflict
        key = re.search(r"C\d+", row.conflicting)[0]
        other = re.match(r"\d+(\.\.\d+)?", row.conflicting)[0].replace("..", "-")
        assert other in source[key]["values"].replace("/30/", " 30 "), row.conflicting


def test_what_must_be_there_is_there():
    by_row = pd.concat([gm.read_standard(name) for name in SHIPPED]).groupby("row")["value"].max()
    expected = {
        "T15-pop": 50_000, "T10-dist": 500, "T5-dist": 300, "SR-KG": 300, "SR-PS": 500, "CC-1": 800, "CC-2b": 2200,
        "CC-5": 120, "CV-primary": 10, "EL-GZ-st": 350, "EL-AH-old": 20, "EL-YC": 30, "CD-100": 30, "SH24-1N": 800,
        "BM-radius; BM-basic": 15,
    }  # fmt: skip
    assert by_row[list(expected)].to_dict() == expected
    # what was judged doubtful, and what was never found
    assert not {"SX-100", "TB-walk", "TB-dw", "CC-7"} & set(by_row.index)


def test_standards_are_listed_with_how_well_they_are_verified():
    listed = gm.list_standards().set_index("standard")
    assert len(listed) == 10
    assert listed[list(STATES)].sum(axis=1).equals(listed["requirements"].astype("int64"))
    assert listed.loc["GB 50180-2018", ["number", "year", "in_force"]].tolist() == [
        "GB 50180-2018", "2018", "2018-12-01",
    ]  # fmt: skip
    for name in listed.index:
        table = gm.read_standard(name)
        assert table["verification"].value_counts().to_dict() == {
            s: n for s, n in listed.loc[name, list(STATES)].items() if n
        }
        assert set(table["rule"]) <= set(RULES)
        assert set(table["tier"]) <= {"", *TIERS}
        named = {c for several in table["category"] for c in several.split("|") if c}
        assert named <= set(facility_categories()[0])
    everything = pd.concat([gm.read_standard(name) for name in SHIPPED])
    assert everything["requirement_id"].is_unique


def test_a_standard_is_found_by_number_and_title_however_written():
    whole = gm.read_standard("GB 50180-2018")
    for name in ("gb50180-2018", "GB_50180 2018", "城市居住区规划设计标准"):
        pd.testing.assert_frame_equal(gm.read_standard(name), whole)


OWN = """requirement_id,category,tier,rule,value,unit,per
gb50180-kindergarten-reach,kindergarten,5分钟,reach,500,metres,
own-library,library,,reach,20,minutes,
own-beds,elderly_care,,floor_area_norm,12.5,m2,100 households
"""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_local_file_overrides_and_adds(tmp_path, encoding):
    path = tmp_path / "本地.csv"
    path.write_text(OWN, encoding=encoding)
    shipped = gm.read_standard("GB 50180-2018")
    both = gm.read_standard(["GB 50180-2018", path]).set_index("requirement_id")
    assert len(both) == len(shipped) + 2
    # the row that was replaced keeps its place
    assert both.index[: len(shipped)].tolist() == shipped["requirement_id"].tolist()
    changed = both.loc["gb50180-kindergarten-reach"]
    assert changed[["value", "standard", "verification", "tier"]].tolist() == [500, "本地", "unverified", "5min"]
    assert both.loc["gb50180-primary-school-reach", "value"] == 500
    assert both.loc["own-beds", "per"] == "100 households"
    # the other way about, the shipped row wins
    assert gm.read_standard([path, "GB 50180-2018"]).set_index("requirement_id").loc[changed.name, "value"] == 300


def test_a_workbook_and_a_table_will_do(tmp_path):
    table = pd.DataFrame(
        {"requirement_id": ["a"], "rule": ["count"], "category": ["bank"], "value": [2], "unit": ["facilities"]}
    )
    table.to_excel(tmp_path / "own.xlsx", index=False)
    for source in (table, tmp_path / "own.xlsx"):
        assert gm.read_standard(source)[["requirement_id", "value", "unit"]].to_numpy().tolist() == [
            ["a", 2, "facilities"]
        ]
    # what was read once can be read again, and what was changed in between is checked again
    read = gm.read_standard(["GB 50180-2018", table])
    pd.testing.assert_frame_equal(gm.read_standard(read), read)
    read.loc[5, "value"] = -1
    with pytest.raises(gm.TableError, match="row 6: value"):
        gm.read_standard(read)


FAULTS = [
    ({"requirement_id": ""}, "requirement_id", "an id that no other row has"),
    ({"requirement_id": "good"}, "requirement_id", "an id that no other row has"),
    ({"rule": "near"}, "rule", "one of reach"),
    ({"value": "-3"}, "value", "a number above 0"),
    ({"value": "many"}, "value", "a number above 0"),
    ({"value": "nan"}, "value", "a number above 0"),
    ({"value": ""}, "value", "a number above 0"),
    ({"value_max": "2"}, "value_max", "no less than value"),
    ({"unit": "yards"}, "unit", "one of minutes, metres, radius"),
    ({"category": ""}, "category", "a category of facilities"),
    ({"tier": "city"}, "tier", "one of 15min"),
    ({"per": "100 households"}, "per", "nothing"),
    ({"rule": "floor_area_norm", "unit": "m2"}, "per", "a number and whom it counts"),
    ({"rule": "floor_area_norm", "unit": "m2", "per": "100 cats"}, "per", "a number and whom it counts"),
    ({"verification": "sure"}, "verification", "one of text"),
]


@pytest.mark.parametrize(("change", "column", "expected"), FAULTS)
def test_a_wrong_row_is_named_with_its_remedy(change, column, expected):
    good = {"requirement_id": "good", "category": "bank", "rule": "reach", "value": "10", "unit": "minutes"}
    table = pd.DataFrame([good, {**good, "requirement_id": "other", **change}]).fillna("")
    with pytest.raises(gm.TableError) as refused:
        gm.read_standard(table)
    faults = refused.value.violations
    assert (2, column) in set(faults[["row", "column"]].itertuples(index=False, name=None))
    assert expected in str(refused.value)
    assert (faults["remedy"] != "").all()


def test_all_that_is_wrong_is_told_at_once():
    with pytest.raises(gm.TableError, match="Rename it") as refused:
        gm.read_standard(pd.DataFrame({"requirement_id": ["a"], "distance": [3]}))
    assert refused.value.violations["column"].tolist() == ["rule", "distance"]


@pytest.mark.parametrize(
    ("source", "error", "words"),
    [
        ("GB 50180-2081", gm.ReadError, "did you mean 'GB 50180-2018'"),
        ("absent.csv", gm.ReadError, "neither a shipped standard nor"),
        ([], gm.OptionError, "list of standards is empty"),
        (3, gm.OptionError, "not int"),
    ],
)
def test_what_is_no_standard_is_refused(source, error, words):
    with pytest.raises(error, match=words):
        gm.read_standard(source)


def test_a_broken_file_is_one_error_of_ours(tmp_path):
    path = tmp_path / "own.xlsx"
    path.write_bytes(b"no workbook")
    with pytest.raises(gm.ReadError, match="Save it again"):
        gm.read_standard(path)
