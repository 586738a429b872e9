"""Findings in the language of the page: they are written in English where they are found, and put into Chinese here.

A Chinese sentence is chosen by the finding's rule and filled from its ids, its status, its certificate and the numbers
of its message, so that it says the same and no page mixes languages.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from gridmap.view.compliance_words import category_words, column_word

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

__all__ = ["CHINESE", "finding_text", "told_findings"]

#: By rule: sentence and cure. ``{n}`` number of rows, ``{ids}`` the first of them, ``{a}``, ``{b}`` the first two.
CHINESE: dict[str, tuple[str, str]] = {
    "band": ("网格 {a} 的计数为 {weight}，超出规定范围（{lower}–{upper}）。", "与相邻网格重新划界，或予以确认。"),
    "household_band": ("{what}有 {weight} 户，{limit}。", "与相邻网格重新划界，或确认现状、设为专属网格。"),
    "overlap": ("网格 {a} 与 {b} 重叠 {area} 平方米。", "将重叠部分划归其中一个网格。"),
    "gap": ("社区 {a} 有 {area} 平方米土地不属于任何网格。", "将相邻网格扩展至该处。"),
    "outside_community": ("网格 {a} 有部分位于所属社区之外。", "按社区界线裁切该网格。"),
    "extra_pieces": ("网格 {a} 由多个不相连的部分组成。", "将较小的部分划给周边网格。"),
    "footprint_cut": ("{n} 栋建筑被同一社区内的网格界线穿过。", "将界线移至建筑外墙或道路。"),
    "compound_split": ("院落小区 {a} 被划入多个网格。", "将整个小区划归一个网格，除非其本身超出上限。"),
    "building_outside": ("{n} 栋建筑位于所有社区之外。", "补充其所属社区，或将其排除。"),
    "building_outside_communities": ("{n} 栋建筑位于所有社区之外，未归入网格。", "将社区范围扩展至该处，或将其排除。"),
    "building_new": ("{n} 栋建筑为新增或位置已变，归入其所在的网格。", "如需单独的划分单元，请重新划分。"),
    "building_gone": ("{n} 栋建筑已不存在，其土地仍归原网格。", "核对这些建筑是否确已拆除。"),
    "grids_mended": ("为使网格符合规定范围，重新划定了 {n} 个网格的界线。", "与原方案对比，必要时手工调整。"),
    "footprint_across_communities": ("{n} 栋建筑跨越社区界线，在界线处切分。", "将界线绕开这些建筑。"),
    "footprints_overlap": ("{n} 栋建筑互相重叠或位于同一点，合为一个划分单元。", "若非同一建筑的楼层，请更正其轮廓。"),
    "split_large": ("{n} 栋超出上限的建筑已按单元、楼层或等分拆分。", "提供其单元户数，或楼层数。"),
    "unit_households": ("{n} 栋建筑的户数与其单元户数之和不符，以建筑户数为准。", "更正单元或建筑的户数。"),
    "band_unused": ("没有社区属于类别 {ids}，其规定未被采用。", "更正规定表或社区的类别。"),
    "together_impossible": ("建筑 {ids} 未能归入同一网格。", "取消或缩小该组，或消除其间的阻隔。"),
    "apart_impossible": ("建筑 {a} 与 {b} 仍在同一网格。", "取消该要求，或拆分其所在小区。"),
    "without_group": ("{n} 栋有住户的建筑没有村民小组，按最近的小组统计。", "补充建筑所属的村民小组。"),
    "group_elsewhere": ("{n} 栋建筑与其他村民小组同在一个小区或建筑，按多数统计。", "更正其村民小组，或不采用该小区。"),
    "group_cut": ("{n} 个村民小组被阻隔或固定网格分开，分属多个网格。", "更正其建筑，或允许跨越该阻隔。"),
    "group_parted": ("{n} 个村民小组分属多个网格：{ids}。", "将各小组的其余部分移入其主要所在的网格（中间无阻隔时）。"),
    "locked_land": ("{n} 栋原不在锁定网格内的建筑位于其范围，已计入该网格。", "解除锁定，或排除这些建筑。"),
    "geometry": ("{n} 个图形自相交，已为本次检查修复。", "重新绘制，避免轮廓自相交。"),
    "community_id": ("{n} 个网格的社区编码与社区表不符，已按位置判定。", "更正网格的社区编码。"),
    "community_code": ("{n} 个社区没有可用的 12 位区划代码，其网格编码为临时编码。", "补充 12 位统计用区划代码。"),
    "communities_overlap": ("社区 {a} 与 {b} 重叠，重叠处的建筑计入 {a}。", "更正两个社区之间的界线。"),
    "community_from_bounds": ("项目未提供社区范围，以建筑的外接范围作为一个社区。", "提供真实的社区范围。"),
    "empty_community": ("{n} 个社区没有住户，各为一个无住户网格。", "核对户数，或排除这些社区。"),
    "compound_households": ("院落小区 {a} 登记户数与其建筑户数之和不符，按建筑统计。", "更正建筑或小区的户数。"),
    "counts_unmatched": ("户数清单中有 {n} 行未找到对应的建筑。", "查看各行的候选项，更正名称或楼号，或补充建筑。"),
    "counts_by_likeness": ("户数清单中有 {n} 行按小区名称的相似程度对应：{ids}。", "核对所列名称，更正有误者。"),
    "counts_repeated": ("{n} 栋建筑在户数清单中有多行属于同一单元或未注明单元，已相加。", "删除重复的行，或注明单元。"),
    "counts_shared": ("{n} 个小区总户数已分摊到其各栋建筑：{ids}。", "如有分栋户数，请提供。"),
    "counts_differ_from_total": ("{a} 的清单户数合计与公布的总数不符，未作更正。", "查找缺失或重复的行，或更正总数。"),
    "zones_overlap": ("{n} 个统计区互相重叠：{ids}。重叠处的建筑重复归属{lost}。", "重复者只留一个，其余更正界线。"),
    "zone_without_homes": ("{n} 个统计区内没有可居住的建筑{lost}：{ids}。", "补充其建筑，或更正建筑的用途或轮廓。"),
    "zone_known_above_total": ("{n} 个统计区内已知的户数超过其总数：{ids}。", "更正总数，或已知的户数。"),
    "zone_without_total": ("{n} 个统计区没有总户数，其建筑按面积估算。", "补充总户数。"),
    "zone_shared_alike": ("{n} 个统计区的建筑没有面积、套数或层数，户数平均分摊：{ids}。", "补充轮廓、套数或层数。"),
    "building_in_no_zone": ("{n} 栋建筑不在任何统计区内，按面积估算。", "扩展统计区，或排除这些建筑。"),
    "point_of_unknown_size": ("{n} 个建筑点没有套数和层数，按 0 户计。", "补充其套数、层数或轮廓，或统计区总户数。"),
    "total_of_unknown": ("{n} 个公布的总数所属的小区或社区不在户数清单中：{ids}。", "更正名称，或在清单中补充。"),
    "compound_elsewhere": ("{n} 栋建筑登记的院落小区与所在位置不符，按位置统计。", "更正建筑的小区编码或小区范围。"),
    "compound_without_gates": ("{n} 个院落小区没有已知的大门，其围墙不作阻隔。", "补充大门位置。"),
    "compound_shut": ("{n} 个院落小区没有可通行的大门，无法进出。", "核对出入口的开放情况与通行方式。"),
    "gate_of_unknown_compound": ("{n} 处大门所属的院落小区不存在，未采用。", "更正大门所属小区，或补充该小区。"),
    "gate_off_wall": ("{n} 处大门距小区边界超过 1 米，已移至边界。", "更正大门位置。"),
    "street_node_ids": ("{n} 条道路的节点编号与顶点数不符，改按坐标相连。", "不要裁切或简化带节点编号的道路。"),
    "street_without_length": ("{n} 条道路过短，未采用。", "核对其图形。"),
    "street_cut_by_wall": ("小区围墙在大门以外的 {n} 处截断道路。", "若可通行，请补充该处大门。"),
    "street_over_barrier": ("{n} 条道路跨越硬阻隔且未注明桥梁或隧道，按桥梁处理。", "更正不能通行的道路。"),
    "added_street_loose_end": ("{n} 条新增道路有一端未与任何道路相接。", "若非断头路，请将其画至相接的道路。"),
    "added_street_unusable": ("{n} 条新增道路不允许该出行方式通行，未与路网相接。", "核对其类别与通行限制。"),
    "street_islands": ("{n} 段路网与主路网不连通。", "仅与其相连的地点已另行列出。"),
    "building_unsnapped": ("{n} 栋建筑须穿越阻隔或围墙才能到达道路。", "核对坐标、小区大门与阻隔。"),
    "facility_unsnapped": ("{n} 处设施须穿越阻隔或围墙才能到达道路。", "核对坐标、小区大门与阻隔。"),
    "building_isolated": ("{n} 栋建筑所在道路与主路网不连通。", "连通该处道路，或核对位置。"),
    "facility_isolated": ("{n} 处设施所在道路与主路网不连通。", "连通该处道路，或核对位置。"),
    "buildings_without_count": ("{n} 栋建筑没有户数记录，按 0 户计。", "补充这些建筑的户数。"),
    "counts_without_building": ("户数表中有 {n} 行找不到对应建筑。", "更正建筑编号，或补充建筑。"),
    "households_estimated": ("{n} 栋建筑的户数为估算值，相应的覆盖率亦为估算。", "以实际统计户数代替估算值。"),
    "rows_left_out": ("{n} 行数据未被采用。", "检查源文件。"),
    "facilities_not_public": ("{n} 处设施不对公众开放，未计入覆盖。", "更正其是否开放，或测算开放后的覆盖。"),
    "facilities_not_existing": ("{n} 处设施为规划或备选，暂不计入覆盖。", "建成后将状态改为已建。"),
    "category_not_offered": ("没有已建设施提供「{category}」，无人可达。", "核对类别名称，或补充设施。"),
    "category_not_asked": ("{n} 处设施的类别未设定阈值，不参与统计。", "为这些类别设定阈值。"),
    "facilities_unsnapped": ("{n} 处设施找不到任何道路。", "核对位置、周边围墙与阻隔，以及道路是否齐全。"),
    "buildings_unsnapped": ("{n} 栋建筑找不到任何道路。", "核对位置、周边围墙与阻隔，以及道路是否齐全。"),
    "facilities_far": ("{n} 处设施距可用道路过远，按最近道路计算。", "核对位置，或补充道路。"),
    "buildings_far": ("{n} 栋建筑距可用道路过远，按最近道路计算。", "核对位置，或补充道路。"),
    "facilities_isolated": ("{n} 处设施所在道路与主路网不连通，只有同一路网的住户可达。", "连通该处道路，或核对位置。"),
    "buildings_isolated": ("{n} 栋建筑所在道路与主路网不连通，只能到达同一路网的设施。", "连通该处道路，或核对位置。"),
    "buildings_unreachable": ("{n} 栋建筑无法沿道路到达某些已有类别的设施。", "将其道路与主路网连通。"),
    "community_without_slow_streets": ("{n} 个社区没有慢行道路。", "补画步行道、绿道等，或将宁静街道计入慢行道路。"),
    "community_not_linked": ("{n} 个社区只能沿机动车道路到达「{category}」。", "查看哪一处连接可使最多住户受益。"),
    "greenways_unknown": ("道路数据未注明绿道，绿道长度未知。", "补充绿道字段。"),
    "no_place_left": ("{n} 栋建筑可到达设施，但设施已无余位。", "在该处增加容量或设施，或放宽距离。"),
    "no_facility_in_reach": ("{n} 栋建筑在可达范围内没有设施。", "在该处增设，或放宽距离。"),
    "bounds_name": ("四至中有一个名称按相近的道路名称理解。", "如指其他道路，请更正名称。"),
    "bounds_gap": ("四至中的道路有一处未相接，已连接 {metres} 米。", "查看该处，道路不完整时请补画。"),
    "bounds_side": ("四至中有道路不在所述的方位。", "核对方位是否写反。"),
    "bounds_area": ("所围面积 {area} 平方米，与所述面积相差较大。", "核对四至与所述面积。"),
    "bounds_several": ("有 {n} 个范围符合四至描述。", "在地图上逐一查看；说明面积，或补充其间的道路。"),
    "units_overlap": ("{level}「{a}」与「{b}」都包含同一块土地：{size}。", "查明归属，从另一方划出；不作自动修复。"),
    "units_gap": ("{level}：有一块被 {ids} 围住的土地（{size}）不属于任何单位。", "补充缺失的单位，或扩展相邻单位。"),
    "units_sliver": (
        "{level}：{ids} 之间有狭长碎面（{size}，共 {pieces} 处）。", "共同边界只画一次；自动修复会将碎面并入其中一方。",
    ),
    "borders_unmatched": ("{level}：{n} 个单位的边界与邻边贴近，但顶点不一致。", "使两侧顶点一致；自动修复可完成。"),
    "unit_multipart": ("{level}「{a}」由 {pieces} 块组成，除最大的外共 {size}。", "将小块划给周边单位，或予以确认。"),
    "unit_enclave": ("{level}「{a}」有部分或全部位于「{b}」之内：{size}。", "予以确认，或将飞地划给周围的单位。"),
    "ring_invalid": ("{level}「{a}」的轮廓无效，无法构成多边形。", "可唯一解读的由自动修复处理，其余请重新绘制。"),
    "vertices_repeated": ("{level}：{n} 行的轮廓有重复的顶点。", "自动修复会将其删除。"),
    "child_outside_parent": ("{level}「{a}」有部分超出所属的「{b}」：{size}。", "按上级界线裁切，或更正上级界线。"),
    "parent_not_covered": ("{level}「{a}」有土地不属于任何下级单位：{size}。", "补充缺失的下级单位，或扩展相邻单位。"),
    "parent_unknown": ("{level}：{n} 行所属的上级单位不在表中，已按位置判定。", "更正上级单位的编码，或补充该单位。"),
    "building_double": ("{n} 栋建筑的轮廓相同或几乎相同：{size}。", "确为同一建筑的只保留一条记录。"),
    "building_stacked": ("{n} 栋建筑互相重叠：{size}。", "若为同一建筑的局部或楼层，只保留一条；否则更正轮廓。"),
    "building_same_point": ("{n} 栋建筑位于同一点：{size}。", "按实际位置落点；集中标在小区中心的建筑无法区分。"),
    "outside_units": ("{level}：{n} 行位于所有{units}之外{lived}。", "补充缺失的单位，更正位置，或将其排除。"),
    "across_border": ("{level}：{n} 行被{units}的界线穿过{lived}。", "将界线绕开。"),
    "on_border": ("{level}：{n} 行紧贴两个{units}的界线，归属不明。", "核对其位于界线哪一侧。"),
    "households_not_residential": ("{n} 栋非居住用途的建筑登记有住户{lived}：{uses}。", "更正其用途或户数。"),
    "id_repeated": ("{level}：{n} 个编号重复出现。", "为不同的对象另行编号，合并相同的对象。"),
    "neither_yes_nor_no": (
        "{level}：{cells} 个单元格既不是“是”也不是“否”，已按封闭、不可穿越、非公共处理。", "填写是或否，或留空。",
    ),
    "crs_doubtful": ("{level}：所用坐标系存疑。", "核对其坐标系。"),
    "unreadable_coordinates": ("{level}：{cells} 个坐标无法识别，所在行没有位置。", "更正坐标，或删除该行。"),
    "contract": ("{level}的 {column} 列不符合要求{rows}。", "更正数据，补充该列，或删除有误的行。"),
    "coordinates_not_in_crs": ("{level}：{n} 行的坐标与所注明的坐标系不符。", "更正坐标系；横纵坐标颠倒时对调。"),
    "total_differs": ("{level}「{a}」登记 {stated} 户，其{parts}合计 {sum} 户。", "查找遗漏或重复，或更正总数。"),
    "gate_without_compound": ("{n} 处大门所属的院落小区不在表中。", "更正大门所属小区，或补充该小区。"),
    "gate_away_from_wall": ("{n} 处大门离所属小区的围墙过远。", "更正大门位置，或小区轮廓。"),
    "facility_on_island": ("{n} 处设施附近的道路与主路网不连通。", "将该处道路与主路网相连，或更正位置。"),
    "unit_in_pieces": ("{a} 由多个不相连的部分组成。", "核对较小部分中各社区的所属。"),
    "unit_cracks": ("{a} 内社区之间的缝隙共 {area} 平方米，已合并。", "使相邻社区共用界线。"),
    "community_without_unit": ("{n} 个社区没有填写上级单位。", "补充社区的所属街道或区。"),
    "unit_counts_missing": ("{n} 个社区没有该项计数，未计入上级单位。", "补充该项计数。"),
    "community_oversized": ("社区 {a} 有 {weight} 户，规模过大。", "拟订拆分方案。"),
    "community_divided": ("社区 {a} 有 {weight} 户，拟拆分为 {parts} 个社区。", "核对拆分方案。"),
    "community_undivided": ("社区 {a} 未能拆分，保持不变。", ""),
    "community_out_of_band": ("拟设社区 {a} 的户数超出规定范围。", "重新划界，或予以确认。"),
    "compliance_size_missing": ("{n} 处设施未填写{column}，与之有关的要求无法判定。", "在设施表中补充{column}。"),
    "compliance_people_missing": ("{n} 个单元的{column}不明，以此为依据的要求无法判定。", "补充建筑的{column}。"),
    "compliance_area_unknown": ("{n} 项要求只适用于新建区等特定区域，单元属何区域不明。", "说明各单元所属的区域。"),
    "compliance_tier_missing": (
        "{n} 处设施未注明层级，而多个层级都要求此类设施，影响结论之处不作判定。", "补充设施的层级。",
    ),
    "compliance_tier_unread": ("{n} 处设施的层级无法识别，按未注明处理。", "写作十五分钟、十分钟、五分钟或街坊。"),
    "compliance_category_unclear": (
        "没有设施归为「{category}」，只有较宽泛的「{wider}」，无从判断。", "细分这些设施的类别，或说明其归属。",
    ),
    "compliance_category_absent": (
        "没有设施归为「{category}」，相应要求均未达标。", "若归在其他类别之下，请说明；否则情况属实。",
    ),
    "compliance_units_without_place": ("单元没有空间范围，{n} 项要求未作判定。", "提供单元的范围或网格方案。"),
    "compliance_unverified": ("{n} 项要求的数值未核实或来源不一，已注明。", "查对标准原文，以本地文件更正。"),
    "demand_out_of_reach": (
        "{n} 栋建筑在限定范围内既没有「{category}」，也没有备选点{asking}。",
        "在其附近增加备选点，或接受其仍为盲区。",
    ),
    "target_out_of_reach": (
        "「{category}」的目标无法达到：全部备选点建成后为 {best}。",
        "在盲区附近增加备选点，或降低目标。",
    ),
    "sites_too_few": (
        "设施数量过少，任何方案都无法让所有可达的住户有路可达。",
        "增加设施数量，或改用其他选址目标。",
    ),
    "fewer_sites_than_asked": (
        "要求 {asked} 处，选定 {chosen} 处：其余备选点不再增加覆盖。",
        "增加备选点，或减少要求的数量。",
    ),
    "candidates_for_other_categories": ("{n} 处备选点标注为其他设施类别，未参与选址。", "如可改作他用，请修改其状态。"),
    "sites_not_proved": (
        "所选方案与最优值的差距不超过 {gap}，尚未证明为最优。",
        "如需证明，可要求精确求解（可能耗时较长）。",
    ),
    "no_coverage": ("缺少设施或道路数据，未统计覆盖情况。", "在项目中提供设施与道路数据。"),
}  # fmt: skip
#: What the tables of an audit are called; others by the name that the user gave them.
_TABLES = {
    "communities": "社区", "grids": "网格", "subdistricts": "街道", "districts": "区", "compounds": "院落小区",
    "buildings": "建筑", "facilities": "设施", "entrances": "出入口", "streets": "道路", "barriers": "阻隔",
    "units": "单元", "dedicated": "专属网格", "households": "户数表", "bands": "规定表",
}  # fmt: skip
_OTHER = ("发现一处需要核对的情况（{rule}）。", "请核对相关数据。")

#: Phrases of which the cures of grids out of the band are made.
_CURES: tuple[tuple[str, str], ...] = (
    (r"merge it with (\S+) \(together ([\d,.]+)\)", r"与 \1 合并（合计 \2 户）"),
    (r"split it into (\d+) of about ([\d,.]+)", r"拆分为 \1 个网格，每个约 \2 户"),
    (r"redraw its border with (\S+) \(together ([\d,.]+)\)", r"与 \1 重新划界（合计 \2 户）"),
    (r"split building (\S+) by unit.*", r"将建筑 \1 按单元拆分"),
    (r"split (?:atom|lot) (\S+)", r"拆分划分单元 \1"),
    (r"open a border or bridge from (.+) to more than that", r"为 \1 打通其他边界或通道"),
    (r"open a border or bridge from (.+) to more than (.+)", r"除 \2 外，为 \1 打通其他边界或通道"),
    (r"join community (\S+) with (\S+)", r"将社区 \1 与 \2 合并"),
    (r"accept ([\d,.]+), or make it a dedicated grid", r"确认 \1 户的现状，或设为专属网格"),
)
# An argument of a function, or the name of a column, is of no use to who reads the map.
_CODE = re.compile(r" \((?:\w+=|column )\w+\)")
# m². Larger areas are told in square kilometres, as the audit does.
_SQUARE_KM = 1e6
_FIRST_NUMBER = re.compile(r"^\D{0,80}?(\d[\d,]*)")


def finding_text(row: Mapping[str, Any], lang: str, labels: Mapping[str, str]) -> tuple[str, str]:
    """Message and cure of one finding in the language of the page.

    Parameters
    ----------
    row
        A row of a findings table.
    lang
        Language of the page.
    labels
        Labels of the categories, by their names in the data.
    """
    message, cure = str(row.get("message") or ""), str(row.get("cure") or "")
    cure = _CODE.sub("", cure)
    if lang != "zh" or not (message.isascii() or str(row.get("rule")) in CHINESE):
        return message, cure
    sentence, remedy = CHINESE.get(str(row.get("rule")), _OTHER)
    known = _facts(row, message, labels)
    told = _chinese_cure(cure)
    if str(row.get("rule")) == "band":
        # what is counted there are not households
        told = told.replace(" 户", "")
    return sentence.format_map(known), told or (remedy.format_map(known) if cure else "")


def told_findings(findings: pd.DataFrame, lang: str, labels: Mapping[str, str]) -> pd.DataFrame:
    """A findings table with its messages and cures in a language; all else stays."""
    rows: list[Mapping[str, Any]] = findings.to_dict("records")  # type: ignore[assignment]
    texts = [finding_text(row, lang, labels) for row in rows]
    return findings.assign(message=[text for text, _ in texts], cure=[cure for _, cure in texts])


class _Facts(dict[str, str]):
    """What a sentence may name; what a finding does not hold reads as a dash."""

    def __missing__(self, key: str) -> str:
        return "–"


def _facts(row: Mapping[str, Any], message: str, labels: Mapping[str, str]) -> _Facts:
    ids = row.get("ids")
    names = [str(i) for i in ids] if isinstance(ids, list | tuple) else []
    try:
        evidence = json.loads(row.get("certificate") or "{}")
    except ValueError:
        evidence = {}
    counted = _FIRST_NUMBER.match(message)
    facts = _Facts(
        rule=str(row.get("rule")),
        ids="、".join(names[:5]),
        a=names[0] if names else "–",
        b=names[1] if len(names) > 1 else "–",
        n=str(len(names)) if len(names) not in (0, 20) or counted is None else counted.group(1),
        category=labels.get(str(row.get("status")), category_words(str(row.get("status") or "–"), "zh")),
    )
    for key, name in (
        ("lower", "lower"),
        ("upper", "upper"),
        ("weight", "weight"),
        ("total", "weight"),
        ("area_m2", "area"),
        ("metres", "metres"),
        ("parts", "parts"),
    ):
        if isinstance(evidence.get(key), int | float):
            facts[name] = _number(evidence[key])
    facts.update(_audited(evidence))
    if "column" in evidence:
        facts["column"] = column_word(str(evidence["column"]), "zh")
    if "wider" in evidence:
        facts["wider"] = category_words("|".join(evidence["wider"]), "zh")
    facts["what"] = f"网格 {facts['a']} " if names else "该网格"
    limit, side = ("upper", "高于上限") if row.get("status") == "above" else ("lower", "低于下限")
    facts["limit"] = f"{side} {facts[limit]} 户"
    return facts


def _audited(evidence: Mapping[str, Any]) -> dict[str, str]:
    """What findings of the audit name: tables, counts, and the size of the place."""
    facts = {
        name: _TABLES.get(str(evidence[key]), str(evidence[key]))
        for key, name in (("table", "level"), ("units", "units"), ("parts", "parts"))
        if isinstance(evidence.get(key), str)
    }
    counts = {
        key: evidence[key] for key in ("pieces", "stated", "sum", "cells") if isinstance(evidence.get(key), int | float)
    }
    area = evidence.get("area_m2")
    if isinstance(area, int | float) and area >= _SQUARE_KM:
        evidence = {**evidence, "area_m2": None, "area_km2": round(area / _SQUARE_KM, 1)}
    sizes = [
        text.format(_number(evidence[key]) if evidence[key] >= 0.1 or not evidence[key] else f"{evidence[key]:.1g}")
        for key, text in (
            ("area_m2", "{} 平方米"),
            ("area_km2", "{} 平方公里"),
            ("width_m", "宽约 {} 米"),
            ("households", "{} 户"),
        )
        if isinstance(evidence.get(key), int | float)
    ]
    lived = f"，涉及 {_number(evidence['households'])} 户" if evidence.get("households") else ""
    lost = f"，{_number(evidence['households'])} 户未能落到建筑" if evidence.get("households") else ""
    uses, rows = evidence.get("uses"), evidence.get("rows")
    if isinstance(evidence.get("column"), str):
        facts["column"] = evidence["column"]
    facts["uses"] = "、".join(list(uses)[:5]) if isinstance(uses, dict) else "–"
    facts["rows"] = f"（{_number(rows)} 行）" if isinstance(rows, int) and rows else ""
    facts |= {**_sited(evidence), "lost": lost, **{key: _number(value) for key, value in counts.items()}}
    return {**facts, "size": "，".join(sizes) or "大小不详", "lived": lived}


def _sited(evidence: Mapping[str, Any]) -> dict[str, str]:
    """What findings on sites name: how many, and which shares."""
    facts = {key: _number(evidence[key]) for key in ("asked", "chosen") if isinstance(evidence.get(key), int)}
    if isinstance(evidence.get("gap"), float):
        facts["gap"] = f"{evidence['gap']:.2%}"
    if evidence.get("total") and isinstance(evidence.get("reachable"), float):
        facts["best"] = f"{evidence['reachable'] / evidence['total']:.2%}"
    facts["asking"] = f"，涉及 {_number(evidence['demand'])} 户（人）" if evidence.get("demand") else ""
    return facts


def _chinese_cure(cure: str) -> str:
    """A cure made of known phrases; empty when one of them is not known."""
    out = []
    for phrase in re.split(r"; or |; ", cure.rstrip(".")):
        text = phrase[:1].lower() + phrase[1:]
        known = [re.sub(pattern, chinese, text) for pattern, chinese in _CURES if re.fullmatch(pattern, text)]
        if not known:
            return ""
        out.append(known[0])
    return "；或".join(out) + "。" if out else ""


def _number(value: float) -> str:
    return f"{value:,.0f}" if float(value).is_integer() or abs(value) >= 100 else f"{value:,.1f}"
