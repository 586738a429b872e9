"""`import gridmap` stays light: it brings in no heavy library that geopandas does not bring in itself."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from conftest import REPOSITORY

HEAVY = {
    "contourpy",
    "folium",
    "mapclassify",
    "matplotlib",
    "networkx",
    "numba",
    "openpyxl",
    "osmium",
    "pyarrow",
    "rich",
    "scipy",
    "typer",
}


def modules_after(statement: str) -> set[str]:
    """Top-level names in sys.modules after a statement in a new interpreter."""
    code = f"{statement}\nimport sys, json\nprint(json.dumps(sorted({{m.partition('.')[0] for m in sys.modules}})))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=REPOSITORY, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_import_is_light():
    more = modules_after("import geopandas, gridmap") - modules_after("import geopandas")
    assert "gridmap" in more
    assert not more & HEAVY


@pytest.mark.parametrize("module", ["gridmap.cli", "gridmap.job"])
def test_command_modules_are_light(module):
    more = modules_after(f"import geopandas, {module}") - modules_after("import geopandas")
    assert not more & (HEAVY - {"rich", "typer"})
