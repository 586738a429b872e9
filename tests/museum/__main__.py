"""Write every exhibit into a folder of its own: ``cd tests; python -m museum FOLDER``."""

from __future__ import annotations

import sys
from pathlib import Path

from museum import archives, files, headings, places, projects, values  # noqa: F401 - they hang up their exhibits
from museum.exhibits import EXHIBITS

for exhibit in EXHIBITS:
    folder = Path(sys.argv[1]) / exhibit.name
    folder.mkdir(parents=True)
    exhibit.make(folder)
    (folder / "message.txt").write_text(exhibit.message, encoding="utf-8")
print(f"{len(EXHIBITS)} exhibits written to {sys.argv[1]}")
