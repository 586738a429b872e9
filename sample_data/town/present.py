"""The bureau's present grids, as someone once drew them: mostly fair, with four faults on purpose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely
from town import plan

if TYPE_CHECKING:
    from shapely import Polygon


@dataclass(frozen=True)
class Present:
    """One present grid: the blocks nearest to its points."""

    community: str
    name: str
    name_en: str
    at: tuple[plan.Point, ...]


def _p(community: int, name: str, name_en: str, *at: plan.Point) -> Present:
    return Present(plan.COMMUNITIES[community].id, name, name_en, at)


PRESENT = [
    _p(0, "锦华第一网格", "Jinhua Grid 1", (716, 903), (750, 815)),
    _p(0, "锦华第二网格", "Jinhua Grid 2", (950, 893)),
    _p(0, "锦华第三网格", "Jinhua Grid 3", (1176, 889)),
    _p(0, "锦华第四网格", "Jinhua Grid 4", (721, 1064), (660, 1215)),
    _p(0, "锦华第五网格", "Jinhua Grid 5", (954, 1057)),
    _p(0, "锦华第六网格", "Jinhua Grid 6", (1184, 1062), (1352, 1107)),
    _p(0, "锦华第七网格", "Jinhua Grid 7", (785, 1215), (907, 1196), (1015, 1200)),
    _p(0, "锦华第八网格", "Jinhua Grid 8", (1192, 1209)),
    _p(0, "锦华第九网格", "Jinhua Grid 9", (728, 1350)),
    _p(0, "锦华第十网格", "Jinhua Grid 10", (967, 1340)),
    _p(0, "锦华第十一网格", "Jinhua Grid 11", (1189, 1369)),
    _p(1, "和平里第一网格", "Hepingli Grid 1", (405, 1070)),
    _p(1, "和平里第二网格", "Hepingli Grid 2", (518, 1070)),
    _p(1, "和平里第三网格", "Hepingli Grid 3", (410, 940)),
    _p(1, "和平里第四网格", "Hepingli Grid 4", (545, 940), (582, 1025)),
    _p(2, "安居第一网格", "Anju Grid 1", (529, 712), (531, 542)),
    _p(2, "安居第二网格", "Anju Grid 2", (711, 693)),
    _p(2, "安居第三网格", "Anju Grid 3", (953, 668)),
    _p(2, "安居第四网格", "Anju Grid 4", (712, 543), (945, 546), (754, 410)),
    _p(2, "安居第五网格", "Anju Grid 5", (1176, 670)),
    _p(2, "安居第六网格", "Anju Grid 6", (1142, 546), (1285, 578)),
    _p(3, "师院专属网格", "College Dedicated Grid", (239, 1270)),
    _p(3, "学府第一网格", "Xuefu Grid 1", (525, 1290)),
    _p(3, "学府第二网格", "Xuefu Grid 2", (271, 1064), (280, 925)),
    _p(3, "学府第三网格", "Xuefu Grid 3", (129, 911), (116, 1057)),
    _p(4, "柳溪第一网格", "Liuxi Grid 1", (985, 184), (742, 180), (520, 190), (1120, 75)),
    _p(4, "柳溪第二网格", "Liuxi Grid 2", (1180, -110), (1460, 4), (1560, 380), (1680, 620)),
]


def table(communities: gpd.GeoDataFrame, land: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """The present grids with their faults."""
    rows = []
    for community in communities.itertuples():
        own = [g for g in PRESENT if g.community == community.community_id]
        for grid, shape in zip(own, _shapes(community.geometry, land, own), strict=True):
            dedicated = "专属" in grid.name
            rows.append(
                {
                    "community_id": grid.community,
                    "kind": "dedicated" if dedicated else "basic",
                    "name": grid.name,
                    "name_en": grid.name_en,
                    "responsible": None,
                    "geometry": shape,
                }
            )
    out = gpd.GeoDataFrame(rows, geometry="geometry")
    number = out.groupby("community_id").cumcount() + 1
    out.insert(0, "grid_id", [f"{c}{n:03d}" for c, n in zip(out["community_id"], number, strict=True)])
    return _faults(out)


def _shapes(border: Polygon, land: gpd.GeoDataFrame, grids: list[Present]) -> list[Polygon]:
    """One polygon a grid: whole blocks by the nearest point; open country is shared out by distance."""
    points = [shapely.Point(p) for g in grids for p in g.at]
    owner = np.repeat(np.arange(len(grids)), [len(g.at) for g in grids])
    blocks = land[land.community_id == grids[0].community].geometry.to_numpy()
    if grids[0].community == plan.VILLAGE:
        around = shapely.voronoi_polygons(shapely.MultiPoint(points), extend_to=border, ordered=True)
        blocks = shapely.intersection(shapely.get_parts(around), border)
        nearest = owner
    else:
        middles = shapely.point_on_surface(blocks)
        inside = np.array([[b.contains(p) for p in points] for b in blocks])
        distance = shapely.distance(middles[:, None], np.array(points)[None, :])
        nearest = owner[np.where(inside.any(axis=1), inside.argmax(axis=1), distance.argmin(axis=1))]
    return [shapely.union_all(blocks[nearest == i], grid_size=0.01) for i in range(len(grids))]


def _faults(grids: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """An overlap and a gap; the grids of too many and too few households come from the blocks chosen above."""
    by_name = dict(zip(grids["name"], grids.geometry, strict=True))
    a, b = "锦华第九网格", "锦华第十网格"  # drawn across Jinhua Road
    by_name[a] = shapely.union(
        by_name[a],
        shapely.intersection(by_name[b], by_name[a].buffer(52) & shapely.box(800, 1200, 1000, 1345)),
        grid_size=0.01,
    )
    d, e = "锦华第十一网格", "锦华第八网格"  # a few shop-houses south of Fangzhi Road, on the wrong side of it
    piece = shapely.intersection(by_name[e], shapely.box(1070, 1256, 1113, 1310), grid_size=0.01)
    by_name[d] = shapely.union(by_name[d], piece, grid_size=0.01)
    by_name[e] = shapely.difference(by_name[e], piece, grid_size=0.01)
    c = "学府第三网格"  # the corner at Xuefu Road was forgotten
    corner = shapely.box(0, 1070, 105, 1150)
    by_name[c] = shapely.difference(by_name[c], corner, grid_size=0.01)
    return grids.set_geometry(gpd.GeoSeries([by_name[n] for n in grids["name"]], index=grids.index))
