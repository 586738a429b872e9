"""What the borders between grids cut: footprints of buildings, and compounds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from gridmap.division.plans.tiling import polygonal

if TYPE_CHECKING:
    import numpy.typing as npt

    Shapes = npt.NDArray[np.object_]
    Ints = npt.NDArray[np.intp]

__all__ = ["footprints_cut", "split_compounds"]

# Less than this is the last digit of a border, not a cut.
_SLIVER_M2 = 0.1
# A border may waver this far from the wall it follows.
_WAVER = 0.5


def footprints_cut(footprints: Shapes, home: Ints, grids: Shapes, owner: Ints) -> npt.NDArray[np.bool_]:
    """Which footprints a border between two grids of one community cuts.

    A footprint is cut when more than 0.1 m² of it lies in another grid of the same community and outside its own grid.

    Parameters
    ----------
    footprints
        Buildings as points or polygons, in metres.
    home
        Position of the grid of each building; -1 for none.
    grids, owner
        Grids, and a number for the community of each.
    """
    cut = np.zeros(len(footprints), dtype=bool)
    asked = np.flatnonzero((home >= 0) & (shapely.get_dimensions(footprints) == 2))
    shapely.prepare(grids)
    asked = asked[~shapely.covers(grids[home[asked]], footprints[asked])]
    row, other = shapely.STRtree(grids).query(footprints[asked], predicate="intersects")
    mine = home[asked[row]]
    rival = (other != mine) & (owner[other] == owner[mine])
    row, other, mine = asked[row[rival]], other[rival], mine[rival]
    lost = shapely.difference(shapely.intersection(footprints[row], grids[other]), grids[mine])
    cut[row[shapely.area(lost) > _SLIVER_M2]] = True
    return cut


def split_compounds(compounds: Shapes, grids: Shapes, owner: Ints, land: Shapes) -> pd.DataFrame:
    """Compounds that a border between two grids of one community runs through.

    A compound is first cut at the community borders; each side is then a compound of its own. A side is split when two
    grids of its community each hold a part of it that is more than 1 m wide somewhere, so that a border which wavers
    along the wall does not count.

    Returns
    -------
    DataFrame
        One row a split side: compound, land (positions), grids (list of positions), geometry (the side).
    """
    which, where = shapely.STRtree(land).query(compounds, predicate="intersects")
    side = polygonal(shapely.intersection(compounds[which], land[where]))
    row, grid = shapely.STRtree(grids).query(side, predicate="intersects")
    own = owner[grid] == where[row]
    row, grid = row[own], grid[own]
    part = polygonal(shapely.intersection(side[row], grids[grid]))
    # buffering inwards leaves nothing of a strip narrower than twice the distance
    deep = ~shapely.is_empty(shapely.buffer(part, -_WAVER))
    held = pd.DataFrame({"side": row[deep], "grid": grid[deep]}).sort_values(["side", "grid"])
    lists = held.groupby("side")["grid"].agg(list)
    lists = lists[lists.map(len) > 1]
    at = lists.index.to_numpy(dtype=np.intp)
    return pd.DataFrame(
        {"compound": which[at], "land": where[at], "grids": lists.to_numpy(), "geometry": side[at]}
    ).sort_values(["compound", "land"], ignore_index=True)
