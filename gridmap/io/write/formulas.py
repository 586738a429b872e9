"""Texts that a spreadsheet would take for a formula: marked when they are written as CSV, unmarked when read.

A text cell that begins with one of ``= + - @``, a tab or a carriage return is computed when the file is opened in a
spreadsheet, whoever wrote it. In Excel files a cell can say that it is text; in CSV an apostrophe before it does it, as
it does where one types into a spreadsheet. Plain numbers such as -1 are no formulas and stay as they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FORMULA_STARTS", "marked", "unmarked"]

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
# One apostrophe more than there are, so that the way back is to take one off.
_RISKY = r"^('*[=+\-@\t\r])"
_MARKED = r"^'('*[=+\-@\t\r])"
_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"


def marked(texts: pd.Series) -> pd.Series:
    """Texts with an apostrophe before those that a spreadsheet would compute.

    Examples
    --------
    >>> import pandas as pd
    >>> marked(pd.Series(["=1+1", "-1", "-a", "'=x", "a"])).tolist()
    ["'=1+1", '-1', "'-a", "''=x", 'a']
    """
    risky = texts.str.match(_RISKY).fillna(value=False).astype(bool) & ~texts.str.fullmatch(_NUMBER).fillna(value=False)
    return texts.where(~risky, "'" + texts)


def unmarked(texts: pd.Series) -> pd.Series:
    """The texts that `marked` was given.

    Examples
    --------
    >>> import pandas as pd
    >>> unmarked(pd.Series(["'=1+1", "-1", "''=x", "'a"])).tolist()
    ['=1+1', '-1', "'=x", "'a"]
    """
    return texts.str.replace(_MARKED, r"\1", regex=True)
