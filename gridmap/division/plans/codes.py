"""Grid codes: a community's code and the grid's number in it, numbered as one reads a map, kept under re-division."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
import shapely

from gridmap.errors import OptionError
from gridmap.tables.findings import finding

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    import geopandas as gpd

__all__ = [
    "SCHEMES",
    "Codes",
    "check_scheme",
    "code_starts",
    "grid_codes",
    "kept_codes",
    "next_codes",
    "reading_order",
    "undivided_code",
]

#: Digits of the grid's number in its community, by scheme.
SCHEMES = {"15": 3, "CJ/T 349": 2}
_COMMUNITY_DIGITS = 12


class Codes(NamedTuple):
    """Codes by grid label, the highest number ever given out in each community, and what was found."""

    codes: pd.Series
    highest: dict[str, int]
    findings: list[dict[str, Any]]


def check_scheme(scheme: str, object_code: str = "000000") -> None:
    """Refuse a code scheme that is not known, or an object code that is not six digits.

    Raises
    ------
    OptionError
        With what is allowed.
    """
    if scheme not in SCHEMES:
        raise OptionError(f"code={scheme!r} is not a code scheme; use one of {', '.join(map(repr, SCHEMES))}")
    if not (isinstance(object_code, str) and len(object_code) == 6 and object_code.isascii() and object_code.isdigit()):
        raise OptionError(
            f"object_code={object_code!r} must be text of six digits, for example '000000' "
            "(digits 1-6 of the CJ/T 349 code: what is managed or served)"
        )


def grid_codes(
    grids: gpd.GeoDataFrame,
    communities: pd.DataFrame,
    *,
    scheme: str = "15",
    object_code: str = "000000",
    kept: Mapping[Any, str] | None = None,
    highest: Mapping[str, int] | None = None,
) -> Codes:
    """Codes for the grids of several communities.

    ``"15"`` is the community's 12-digit code and a number of three digits. ``"CJ/T 349"`` has 20 digits: six for the
    object (`object_code`), then the community's twelve (six for the county, three for the subdistrict, three for the
    community, digits 16-18), then two for the grid, ``00`` where the community is one grid. Numbers start at 1 in each
    community and follow `reading_order`. A community without a code of twelve digits, or with one that another
    community has too, gets a provisional ``X-<community_id>-`` in its place and is named in a finding.

    Parameters
    ----------
    grids
        One row a grid, index = label of the grid, with ``community_id`` and geometry in a CRS in metres.
    communities
        With ``community_id`` and, where known, ``code``.
    scheme, object_code
        See above.
    kept
        Codes that grids keep from an earlier plan, by label (see `kept_codes`). A code that does not fit the scheme
        or the community any more is not kept. Grids without one are numbered after all that were ever given out.
    highest
        The highest number ever given out in each community, so that a retired number does not come back.

    Raises
    ------
    OptionError
        When the scheme is unknown or a community has more grids than the scheme has numbers for (999 or 99).

    Notes
    -----
    CJ/T 349-2010, clauses 5.3 to 5.7; DB11/T 2157-2023, clauses 5.2 to 5.4.
    """
    check_scheme(scheme, object_code)
    digits = SCHEMES[scheme]
    prefix, findings = _prefixes(communities, object_code if scheme == "CJ/T 349" else "")
    owner = grids["community_id"].astype(str)
    start = owner.map(prefix)
    number = _kept_numbers(grids.index, start, owner, kept or {}, digits)
    top = number.groupby(owner).max()
    top = pd.concat([top, pd.Series(highest or {}, dtype=float)]).groupby(level=0).max()

    order = reading_order(grids)
    new = order[number.loc[order].isna().to_numpy()]
    rank = owner.loc[new].groupby(owner.loc[new]).cumcount() + 1
    number.loc[new] = rank + owner.loc[new].map(top).astype("float64").fillna(0)
    alone = owner.map(owner.value_counts()) == 1
    if scheme == "CJ/T 349":
        number[alone] = 0
    top = pd.concat([top, number.groupby(owner).max()]).groupby(level=0).max()

    too_many = top[top > 10**digits - 1]
    if len(too_many):
        community, count = too_many.index[0], int(too_many.iloc[0])
        raise OptionError(
            f"community {community} needs {count} grid numbers, code {scheme!r} has {10**digits - 1}"
            + ("; use code='15'" if scheme != "15" else "; divide the community first")
        )
    codes = start + number.astype("int64").astype(str).str.zfill(digits)
    return Codes(codes, {str(c): int(n) for c, n in top.sort_index().items()}, findings)


def highest_numbers(grids: pd.DataFrame, communities: pd.DataFrame, *, scheme: str, object_code: str) -> dict[str, int]:
    """The highest number in use in each community that has grids, whose ids may or may not follow the scheme.

    Ids that do not count as one number each, so that new codes do not start among grids that are numbered otherwise.
    """
    prefix, _ = _prefixes(communities, object_code if scheme == "CJ/T 349" else "")
    highest: dict[str, int] = {}
    known = grids[grids["community_id"].isin(prefix.index)]
    for community, ids in known.groupby("community_id")["grid_id"]:
        start, digits = prefix[community], SCHEMES[scheme]
        tails = [i[len(start) :] for i in ids if i.startswith(start)]
        highest[str(community)] = max([len(ids), *(int(t) for t in tails if len(t) == digits and t.isdigit())])
    return highest


def next_codes(
    community_id: str,
    count: int,
    communities: pd.DataFrame,
    *,
    scheme: str,
    object_code: str,
    highest: int,
    taken: Collection[str] = (),
) -> tuple[list[str], int]:
    """Codes for new grids of a community that has been divided before, and the highest number given out with them.

    Parameters
    ----------
    community_id, count
        Where the new grids are, and how many.
    communities, scheme, object_code
        As for `grid_codes`.
    highest
        The highest number ever given out there: the new ones follow it.
    taken
        Ids that other grids have, whatever they look like: passed over.

    Raises
    ------
    OptionError
        When the scheme has no more numbers.
    """
    prefix, _ = _prefixes(communities, object_code if scheme == "CJ/T 349" else "")
    codes: list[str] = []
    while len(codes) < count:
        highest += 1
        if highest > 10 ** SCHEMES[scheme] - 1:
            raise OptionError(f"community {community_id} has no number left for another grid in code {scheme!r}")
        code = f"{prefix[community_id]}{highest:0{SCHEMES[scheme]}d}"
        if code not in taken:
            codes.append(code)
    return codes, highest


def code_starts(communities: pd.DataFrame, *, scheme: str, object_code: str) -> pd.Series:
    """What the codes of the grids of each community start with, by community id; the grid's number follows."""
    return _prefixes(communities, object_code if scheme == "CJ/T 349" else "")[0]


def undivided_code(community_id: str, communities: pd.DataFrame, *, scheme: str, object_code: str) -> str | None:
    """Code of the one grid of a community that is not divided, where the scheme has one for that: ``"CJ/T 349"``."""
    if scheme != "CJ/T 349":
        return None
    return f"{_prefixes(communities, object_code)[0][community_id]}{0:0{SCHEMES[scheme]}d}"


def reading_order(grids: gpd.GeoDataFrame) -> pd.Index:
    """Labels of the grids, community by community, in rows from north to south and west to east within a row.

    The rows of a community start at its northernmost grid centroid's row: a row is as high as the side of a square of
    the community's mean grid area, counted from the north edge of its grids, and a grid is in the row of its centroid.

    Parameters
    ----------
    grids
        As for `grid_codes`.
    """
    geometry = grids.geometry.to_numpy()
    centre, north = shapely.centroid(geometry), shapely.bounds(geometry)[:, 3]
    table = pd.DataFrame(
        {
            "owner": grids["community_id"].astype(str).to_numpy(),
            "x": shapely.get_x(centre),
            "y": shapely.get_y(centre),
            "north": north,
            "area": shapely.area(geometry),
            "label": [str(label) for label in grids.index],
        }
    )
    by = table.groupby("owner")
    height = np.sqrt(by["area"].transform("mean")).replace(0, 1)
    # a hair above the line counts as below it: grids drawn to a round raster must not depend on the last bit
    table["row"] = np.floor((by["north"].transform("max") - table["y"]) / height + 1e-9)
    order: pd.Index = grids.index[table.sort_values(["owner", "row", "x", "y", "label"], kind="stable").index]
    return order


def kept_codes(before: pd.Series, after: pd.Series, households: pd.Series) -> dict[Any, str]:
    """Which new grids keep the code of an old one: those that hold more than half of its households.

    Parameters
    ----------
    before
        Old grid id of each building, or of each unit; missing where it had none.
    after
        New grid label, same index.
    households
        Households, same index.

    Returns
    -------
    dict
        Old grid id by new label. One code goes to one grid: where a new grid holds most of several old ones it keeps
        the code of the one it has the most households of, ties by the lower code.

    Examples
    --------
    >>> before = pd.Series(["g1", "g1", "g2"])
    >>> kept_codes(before, pd.Series(["a", "b", "b"]), pd.Series([100, 50, 80]))
    {'a': 'g1', 'b': 'g2'}
    """
    table = pd.DataFrame({"before": before, "after": after, "households": households}).dropna(
        subset=["before", "after"]
    )
    shared = table.groupby(["before", "after"], sort=True)["households"].sum().reset_index()
    total = table.groupby("before")["households"].sum()
    most = shared[shared["households"] > shared["before"].map(total) / 2]
    best = most.sort_values(["households", "before"], ascending=[False, True], kind="stable").drop_duplicates("after")
    return dict(sorted(zip(best["after"], best["before"], strict=True), key=lambda pair: str(pair[1])))


def _prefixes(communities: pd.DataFrame, lead: str) -> tuple[pd.Series, list[dict[str, Any]]]:
    ids = communities["community_id"].astype(str)
    code = communities["code"].astype("object") if "code" in communities else pd.Series(None, communities.index, object)
    code = code.where(code.notna(), "").astype(str).str.strip()
    fits = code.str.fullmatch(rf"[0-9]{{{_COMMUNITY_DIGITS}}}")
    twice = fits & code.duplicated(keep=False)
    prefix = (lead + code).where(fits & ~twice, "X-" + ids + "-")
    findings = []
    if (~fits).any():
        findings.append(_code_finding("provisional", "no code of twelve digits", ids[~fits]))
    if twice.any():
        findings.append(_code_finding("repeated", "a code that another community has too", ids[twice]))
    return pd.Series(prefix.to_numpy(), index=ids.to_numpy()), findings


def _code_finding(status: str, fault: str, ids: Iterable[str]) -> dict[str, Any]:
    ids = list(ids)
    have = "community has" if len(ids) == 1 else "communities have"
    return finding(
        "warning",
        "community_code",
        f"{len(ids)} {have} {fault}; grid codes there are provisional and start with X-",
        status=status,
        cure="Fill the column code of communities with the 12-digit statistical division code.",
        ids=ids,
    )


def _kept_numbers(
    labels: pd.Index, start: pd.Series, owner: pd.Series, kept: Mapping[Any, str], digits: int
) -> pd.Series:
    """Number of each kept code, missing where the grid keeps none or its code no longer fits its community."""
    number = pd.Series(np.nan, index=labels)
    given: set[tuple[str, str]] = set()
    for label, code in kept.items():
        tail = str(code)[len(start[label]) :]
        fits = str(code).startswith(start[label]) and len(tail) == digits and tail.isdigit() and int(tail) > 0
        if fits and (owner[label], tail) not in given:
            given.add((owner[label], tail))
            number[label] = int(tail)
    return number
