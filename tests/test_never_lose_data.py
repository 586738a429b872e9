"""Outputs are whole or not there: runs that are killed, disks that are full, folders that are closed."""

from __future__ import annotations

import ast
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
from conftest import REPOSITORY
from shapely import Point

from gridmap.errors import WriteError
from gridmap.io.write.all_files import all_or_nothing
from gridmap.io.write.tables import write_layers, write_table
from gridmap.io.write.whole import sweep, writing

# What the programs below share: one writer for each kind of file, and what a whole file of version n holds.
WRITERS = """
import ctypes, json, os, random, resource, signal, struct, sys, time, traceback
from pathlib import Path
import geopandas as gpd, numpy as np, pandas as pd
from shapely import box
import gridmap as gm
from gridmap.io.project import write_project
from gridmap.io.write.tables import write_table

ROWS = 2000
out = Path(sys.argv[1])
houses = gpd.GeoDataFrame(
    {"building_id": [str(i) for i in range(ROWS)], "households": 1.0},
    geometry=gpd.points_from_xy(5e5 + np.arange(ROWS) % 60 * 9, 44e5 + np.arange(ROWS) // 60 * 9), crs=32650,
)
areas = gpd.GeoDataFrame({"grid_id": ["1"]}, geometry=[box(5e5 - 9, 44e5 - 9, 5e5 + 900, 44e5 + 900)], crs=32650)
communities = areas.rename(columns={"grid_id": "community_id"})
plan = gm.GridPlan.from_grids(areas, communities, houses.head(500))
page = gm.explore(areas)

def table(name):
    rows = pd.DataFrame(houses[["building_id"]]) if "csv" in name else houses
    return lambda n: write_table(rows.assign(v=n), out / name)

WRITERS = {name: table(name) for name in ("a.gpkg", "a.geojson", "a.parquet", "a.csv")}
WRITERS["map.html"] = lambda n: page.save(out / "map.html")
WRITERS["plan.gpkg"] = lambda n: plan.save(out / "plan.gpkg")
WRITERS["project.gpkg"] = lambda n: write_project(out / "project.gpkg", plan=plan)
WRITERS["report.html"] = lambda n: gm.report(out / "report.html", plan=plan)

def version(name):
    path = out / name
    if path.suffix == ".html":
        assert path.read_text(encoding="utf-8").rstrip().endswith("</html>")
    elif name == "plan.gpkg":
        assert gm.GridPlan.load(path).equals(plan)
    else:
        read = {".parquet": gpd.read_parquet, ".csv": pd.read_csv}.get(path.suffix, gpd.read_file)
        back = read(path)
        assert len(back) == ROWS and back["v"].nunique() == 1
"""
KILLED = """
for name in ("project.gpkg", "report.html"):
    del WRITERS[name]
for name in WRITERS:
    WRITERS[name](0)
random.seed(int(sys.argv[2]))
kills = 0
while kills < int(sys.argv[3]):
    child = os.fork()
    if child == 0:
        n = kills
        while True:
            n += 1
            for name in random.sample(sorted(WRITERS), len(WRITERS)):
                WRITERS[name](n)
    time.sleep(random.uniform(0.01, 0.4))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    kills += 1
    for name in WRITERS:
        version(name)
left = [p.name for p in out.iterdir() if p.name not in WRITERS]
for name in left:
    os.utime(out / name, (0, 0))
for name in WRITERS:
    WRITERS[name](99)
    version(name)
print(json.dumps({"left": left, "now": sorted(p.name for p in out.iterdir())}))
"""
FULL = """
def attempt(name, what):
    before = (out / name).read_bytes()
    try:
        WRITERS[name](1)
        told.append(f"{what}: written")
    except gm.WriteError as error:
        told.append(f"{what}: {error}")
    except BaseException:
        told.append(f"{what}: TRACEBACK {traceback.format_exc()}")
    assert (out / name).read_bytes() == before, what

def allow_files_of(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))

def leave_room_for(size):
    # whole blocks, so that what is left is less than the file needs
    room = os.statvfs(out)
    free = room.f_bavail * room.f_frsize - size // room.f_frsize * room.f_frsize
    (out / "ballast").write_bytes(bytes(max(free, 0)))

told = []
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
for name in WRITERS:
    WRITERS[name](0)
for name in WRITERS:
    size = (out / name).stat().st_size
    for limit in (1000, size // 2, size - 2):
        allow_files_of(limit)
        attempt(name, f"{name}, files of {limit}")
        allow_files_of(hard)
        if sys.argv[2] == "disk":
            leave_room_for(limit)
            attempt(name, f"{name}, room for {limit}")
            (out / "ballast").unlink()
now = sorted(p.name for p in out.iterdir())

full, told = told, []
os.chmod(out, 0o555)
if os.geteuid() == 0:
    # root writes wherever it likes, unless it gives up to override permissions (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH)
    libc, header = ctypes.CDLL(None, use_errno=True), struct.pack("=Ii", 0x20080522, 0)
    held = ctypes.create_string_buffer(24)
    assert libc.capget(header, held) == 0
    words = list(struct.unpack("=6I", held.raw))
    words[0] &= ~0b110
    assert libc.capset(header, struct.pack("=6I", *words)) == 0
for name in WRITERS:
    attempt(name, name)
print(json.dumps({"full": full, "closed": told, "now": now}))
"""


def run(program, *words):
    """What a program with the writers prints; nothing may come out of it but that."""
    paths = os.pathsep.join([str(REPOSITORY), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(WRITERS) + program, *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": paths},
        cwd=REPOSITORY,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return json.loads(done.stdout.splitlines()[-1])


def mounted(folder):
    """Whether a disk of 8 MB could be mounted on a folder, which takes root."""
    if shutil.which("mount") is None:
        return False
    words = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)]
    return subprocess.run(words, capture_output=True, check=False).returncode == 0


def test_runs_killed_at_any_moment_leave_whole_files(tmp_path):
    got = run(KILLED, tmp_path, 7, 8)
    assert all(name.startswith(".gridmap-") for name in got["left"]), "nothing but what the next run knows as its own"
    assert not [name for name in got["now"] if name.startswith(".")], "and removes after a day"
    assert len(got["now"]) == 6


@pytest.fixture
def open_folder():
    """A folder that other users may enter, which pytest's own are not."""
    with tempfile.TemporaryDirectory(prefix="gridmap-test-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def test_full_disks_and_closed_folders_leave_the_former_files(open_folder):
    # a small disk where one can be made, and a limit on the size of files everywhere
    out = open_folder / "out"
    out.mkdir()
    disk = mounted(out)
    try:
        got = run(FULL, out, "disk" if disk else "limit")
    finally:
        if disk:
            subprocess.run(["umount", str(out)], check=True)
        out.chmod(0o755)
    assert len(got["full"]) == 8 * 3 * (2 if disk else 1)
    assert [told for told in got["full"] if "could not be written" not in told] == []
    assert len(got["now"]) == 8, "no leftovers"
    assert len(got["closed"]) == 8
    for told in got["closed"]:
        assert "the folder cannot be written (Permission denied)" in told or "the former file is read-only" in told


def test_a_former_file_that_is_read_only_stays(tmp_path, monkeypatch):
    path = write_table(pd.DataFrame({"a": [1]}), tmp_path / "a.csv")
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(WriteError, match=r"the former file is read-only\. Allow writing"):
        write_table(pd.DataFrame({"a": [2]}), path)
    assert pd.read_csv(path)["a"].tolist() == [1]


def test_links_are_followed_and_rights_kept(tmp_path):
    real = write_table(pd.DataFrame({"a": [1]}), tmp_path / "real.csv")
    real.chmod(0o600)
    link = tmp_path / "link.csv"
    link.symlink_to(real)
    write_table(pd.DataFrame({"a": [2]}), link)
    assert link.is_symlink()
    assert pd.read_csv(real)["a"].tolist() == [2]
    assert real.stat().st_mode & 0o777 == 0o600


def places(n):
    return gpd.GeoDataFrame({"n": [n] * 50}, geometry=[Point(i, i) for i in range(50)], crs=32650)


def test_journals_of_a_former_file_do_not_get_into_the_new_one(tmp_path):
    path = write_layers({"a": places(1)}, tmp_path / "a.gpkg")
    # a program, such as QGIS, that is killed while it has changes in its journal
    program = (
        "import sqlite3, sys, os\nfile = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "file.execute('PRAGMA journal_mode = WAL')\nfile.execute('PRAGMA wal_autocheckpoint = 0')\n"
        "file.execute('CREATE TABLE odd AS WITH RECURSIVE k(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM k LIMIT 9999) "
        "SELECT x FROM k')\nos.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", program, str(path)], check=False)
    assert path.with_name("a.gpkg-wal").stat().st_size > 10_000
    write_layers({"a": places(2)}, path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.gpkg"]
    assert gpd.read_file(path)["n"].tolist() == [2] * 50
    with sqlite3.connect(path) as file:
        assert file.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert file.execute("SELECT count(*) FROM sqlite_master WHERE name = 'odd'").fetchone() == (0,)


def test_a_former_file_that_is_being_worked_on_is_not_taken_away(tmp_path, monkeypatch):
    path = write_layers({"a": places(1)}, tmp_path / "a.gpkg")
    connect = sqlite3.connect
    other = connect(path, isolation_level=None)
    other.execute("PRAGMA journal_mode = WAL")
    other.execute("BEGIN IMMEDIATE")
    other.execute("CREATE TABLE half_done (x)")
    monkeypatch.setattr(sqlite3, "connect", lambda file, **_: connect(file, timeout=0.1))
    with pytest.raises(WriteError, match=r"another program is working on the former file\. Close it there first"):
        write_layers({"a": places(2)}, path)
    other.execute("ROLLBACK")
    other.close()
    assert gpd.read_file(path)["n"].tolist() == [1] * 50
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.gpkg"]


def test_what_is_swept_is_old_and_ours(tmp_path):
    names = [".gridmap-old.gpkg", ".gridmap-new.gpkg", ".other", "grids.gpkg"]
    for name in names:
        (tmp_path / name).write_text("x")
    (tmp_path / ".gridmap-folder").mkdir()
    (tmp_path / ".gridmap-folder" / "x").write_text("x")
    past = time.time() - 25 * 3600
    for name in (".gridmap-old.gpkg", ".gridmap-folder", ".other", "grids.gpkg"):
        os.utime(tmp_path / name, (past, past))
    sweep(tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == [".gridmap-new.gpkg", ".other", "grids.gpkg"]


def test_when_one_of_several_files_cannot_be_moved_none_is(tmp_path):
    (tmp_path / "a.txt").write_text("former")
    (tmp_path / "c.txt").mkdir()

    def write(*names):
        with all_or_nothing(tmp_path) as folder:
            for name in names:
                (folder / f"{name}.txt").write_text("new")

    with pytest.raises(WriteError, match="nothing was changed there"):
        write("a", "b", "c")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.txt", "c.txt"]
    assert (tmp_path / "a.txt").read_text() == "former"
    write("a")
    assert (tmp_path / "a.txt").read_text() == "new"


def test_the_folder_of_a_run_is_not_named_when_it_is_gone(tmp_path):
    def write():
        with all_or_nothing(tmp_path) as folder, writing(folder / "a.csv"):
            raise OSError("no room")

    with pytest.raises(WriteError, match="could not be written") as told:
        write()
    assert str(told.value).startswith(f"{tmp_path / 'a.csv'}: ")
    assert list(tmp_path.iterdir()) == []


def test_the_same_table_gives_the_same_geojson(tmp_path):
    first = write_table(places(1), tmp_path / "a.geojson").read_bytes()
    assert write_table(places(1), tmp_path / "a.geojson").read_bytes() == first


# Files are opened for writing through `writing`, or in a temporary folder; by these, or by what `write_table` calls.
OPENS = {"whole.py", "all_files.py", "kml.py", "sheets.py"}
CALLS = {
    "write_text",
    "write_bytes",
    "to_file",
    "to_csv",
    "to_excel",
    "to_parquet",
    "to_json",
    "savefig",
    "write_dataframe",
}


def test_every_file_is_written_through_the_one_door():
    found = []
    for path in sorted((REPOSITORY / "gridmap").rglob("*.py")):
        if path.name in OPENS:
            continue
        text = path.read_text(encoding="utf-8")
        calls = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
        names = {getattr(call.func, "attr", getattr(call.func, "id", "")) for call in calls}
        modes = [a.value for c in calls if getattr(c.func, "attr", getattr(c.func, "id", "")) == "open"
                 for a in (*c.args, *(k.value for k in c.keywords)) if isinstance(a, ast.Constant)]  # fmt: skip
        writes = bool(names & CALLS) or any(isinstance(m, str) and set(m) & set("wax+") for m in modes)
        if writes and not names & {"writing", "writing_set", "all_or_nothing", "TemporaryDirectory"}:
            found.append(str(path.relative_to(REPOSITORY)))
    assert found == []
