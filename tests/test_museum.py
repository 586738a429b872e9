"""Every bad file gives its message: one error of ours, the place and the remedy."""

from __future__ import annotations

import re
import warnings

import pytest
from museum import files, headings, places, projects, values  # noqa: F401 - they hang up their exhibits
from museum.exhibits import EXHIBITS, READERS


@pytest.mark.parametrize("bad", EXHIBITS, ids=lambda bad: bad.name)
def test_each_bad_file_is_told_with_its_remedy(tmp_path, bad):
    with warnings.catch_warnings():
        # what spoils the files may grumble; what reads them may not
        warnings.simplefilter("ignore")
        path = bad.make(tmp_path)
    with pytest.raises(bad.error) as caught:
        READERS[bad.table](path, **bad.options)
    assert type(caught.value) is bad.error
    assert re.fullmatch(_pattern(bad.message, path), str(caught.value), flags=re.DOTALL), str(caught.value)


def test_no_message_advises_what_only_a_library_knows(tmp_path):
    path = files.shapefile_without_its_shx(tmp_path)
    with pytest.raises(files.ReadError) as caught:
        READERS["buildings"](path)
    assert "needs its .shx" in str(caught.value)
    assert "SHAPE_RESTORE_SHX" not in str(caught.value)


def _pattern(message, path):
    known = {"<path>": re.escape(str(path)), "<folder>": re.escape(str(path.parent)), "<why>": r".+"}
    parts = re.split(r"(<path>|<folder>|<why>)", message)
    return "".join(known.get(part, re.escape(part)) for part in parts)
