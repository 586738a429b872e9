"""The words of the report and the atlas, English and Chinese, so that no page mixes them."""

from __future__ import annotations

import math

from gridmap.maps.words import LANGUAGES

__all__ = ["REPORT_WORDS", "Say"]

#: key: (English, Chinese). ``{name}`` is filled in.
REPORT_WORDS: dict[str, tuple[str, str]] = {
    "title.both": ("Grids and service coverage: report", "社区网格与服务覆盖情况报告"),
    "title.plan": ("Community grids: report", "社区网格划分情况报告"),
    "title.cover": ("Service coverage: report", "生活服务圈覆盖情况报告"),
    "title.sites": ("Sites for new facilities: report", "设施选址方案报告"),
    "title.atlas": ("Atlas of the grids", "网格图册（一格一图）"),
    "date": ("Date: {date}", "编制日期：{date}"),
    "comma": (", ", "，"),
    "stop": (". ", "。"),
    "dot": (" · ", " · "),
    "space": (" ", " "),
    "semicolon": ("; ", "；"),
    "none": ("–", "–"),
    # headline
    "figure.households": ("Households", "总户数"),
    "figure.residents": ("Residents", "常住人口"),
    "figure.residents_value": ("{n}", "{n} 人"),
    "figure.households_value": ("{n}", "{n} 户"),
    "figure.estimated": ("estimates, not counts", "估算值，并非实际统计"),
    "figure.given": ("as given in the data", "取自所提供的数据"),
    "figure.grids": ("Grids", "网格"),
    "figure.grids_value": ("{n}", "{n} 个"),
    "figure.grids_note": ("in {n} communities, {area}", "分属 {n} 个社区，{area}"),
    "figure.in_band": ("Grids of {lower}–{upper} households", "{lower}–{upper} 户的网格"),
    "figure.in_own_band": ("Grids within the band of their community", "符合所在社区标准的网格"),
    "figure.in_band_note": ("{part} of {all} that the band applies to", "适用标准的 {all} 个中有 {part} 个"),
    "figure.all_reached": (
        "Households that reach every category",
        "各类服务均可达的住户",
    ),
    "figure.all_note": ("{n} of {total} households, {k} categories", "{total} 户中 {n} 户，共 {k} 类服务"),
    "figure.lowest": ("Lowest coverage: {category}", "覆盖率最低：{category}"),
    "figure.lowest_note": ("{n} of {total} households reach it", "{total} 户中 {n} 户可达"),
    "figure.spots": ("Blind spots", "服务盲区"),
    "figure.spots_value": ("{n}", "{n} 处"),
    "figure.spots_note": ("{n} households in the largest", "最大一处涉及 {n} 户"),
    "figure.facilities": ("Facilities counted", "纳入统计的设施"),
    "figure.facilities_value": ("{n}", "{n} 处"),
    "figure.facilities_note": ("of {n} in the data", "数据中共 {n} 处"),
    # sections
    "section.overview": ("Overview", "总览"),
    "section.category": ("Coverage by category", "各类服务覆盖率"),
    "section.community": ("Coverage by community", "各社区覆盖率"),
    "section.facilities": ("Facilities in each community", "各社区设施数量"),
    "section.gaps": ("Blind spots, the most households first", "服务盲区（按涉及户数排序）"),
    "section.compliance": ("Compliance with standards", "标准达标情况"),
    "section.compliance_units": ("Compliance of each unit", "各单元达标表"),
    "section.sites": ("Chosen sites", "选址方案"),
    "sites.proved": (
        "No other choice among the candidates given is better; this was proved.",
        "在所给备选点中没有更优的方案，已经证明。",
    ),
    "sites.gap": (
        "The choice is at most {n} from the best possible one; it was not proved to be the best.",
        "该方案与最优方案的差距不超过 {n}，尚未证明为最优。",
    ),
    "sites.none": ("No candidate brings anything more.", "没有备选点能增加覆盖。"),
    "sites.legend": (
        "Blue: buildings that the site newly covers. Grey: all others. Square: the site.",
        "蓝色为该位置新增覆盖的建筑，灰色为其他建筑，方块为选定位置。",
    ),
    "sites.card": ("{rank}. {name}", "{rank}. {name}"),
    "column.site": ("Site", "位置"),
    "column.newly": ("Newly covered", "新增覆盖"),
    "column.saved": ("Way saved", "节省路程"),
    "column.alone": ("Alone", "单独建设"),
    "column.rate_before": ("Rate today", "现状覆盖率"),
    "column.rate_after": ("With the sites", "建成后"),
    "column.rate_reachable": ("With every candidate", "全部备选建成"),
    "column.total": ("In all", "总数"),
    "more.sites": ("and {n} more sites", "另有 {n} 处"),
    "section.out": ("Grids out of the band", "不符合标准的网格"),
    "section.grids": ("All grids", "网格一览"),
    "section.findings": ("Other findings", "其他提示"),
    "section.method": ("Method", "方法"),
    "section.assumptions": ("Assumptions", "参数与假设"),
    "section.sources": ("Sources", "数据来源"),
    "section.notes": ("Notes", "说明"),
    "section.call": ("The call that made this page", "生成本页的程序调用"),
    # tables
    "column.requirement": ("Requirement", "要求"),
    "column.clause": ("Clause", "条款"),
    "column.verification": ("Verification", "核实状态"),
    "column.met_share": ("Share met", "达标率"),
    "column.category": ("Category", "服务类别"),
    "column.limit": ("Limit", "范围"),
    "column.facilities": ("Facilities", "设施数"),
    "column.covered": ("Households covered", "覆盖户数"),
    "column.uncovered": ("Not covered", "未覆盖户数"),
    "column.rate": ("Rate", "覆盖率"),
    "column.bar": ("0 to 100 %", "0–100%"),
    "column.community": ("Community", "社区"),
    "column.households": ("Households", "户数"),
    "column.residents": ("Residents", "常住人口"),
    "column.buildings": ("Buildings", "楼栋数"),
    "column.area": ("Area (ha)", "面积（公顷）"),
    "column.rank": ("No.", "序号"),
    "column.distance": ("Median distance", "距离中位数"),
    "column.grid": ("Grid", "网格"),
    "column.name": ("Name", "名称"),
    "column.status": ("Status", "状态"),
    "column.why": ("Why", "原因"),
    "column.cure": ("What would change it", "处理建议"),
    "column.finding": ("Finding", "提示"),
    "column.severity": ("Kind", "级别"),
    "column.item": ("Item", "项目"),
    "column.value": ("Value", "取值"),
    "column.building": ("Building", "楼栋"),
    "column.facility": ("Nearest facility", "最近设施"),
    "column.distance_short": ("Distance", "距离"),
    "column.number": ("No.", "号"),
    "column.short_households": ("Hh.", "户"),
    "column.short_residents": ("Res.", "人"),
    # sentences
    "rate.of": (
        ("The denominator is {n} households{estimated}: a rate is the share of them that is within the limit. "
        "A facility in a community is another thing than a household that reaches one; see “{sheet}”."),
        ("覆盖率的分母为 {n} 户{estimated}：覆盖率是其中在规定范围内可达该类设施的户数占比。"
        "辖区内有设施与住户可达是两回事，设施数量另见“{sheet}”。"),
    ),
    "rate.estimated": (" (estimated)", "（估算）"),
    "rate.community": (
        "Share of the households of each community within reach; the first column is the denominator.",
        "各社区住户中可达该类设施的户数占比；第一列户数为分母。",
    ),
    "facilities.note": (
        "Facilities that stand in the community (institutional coverage), apart from the rates above.",
        "位于社区范围内的设施数量（机构覆盖），与上述覆盖率分别统计。",
    ),
    "limit.minutes": ("{n} min on foot", "步行 {n} 分钟"),
    "limit.metres": ("{n} m along streets", "沿道路 {n} 米"),
    "limit.straight_minutes": ("{n} min, straight line", "直线 {n} 分钟"),
    "limit.straight_metres": ("{n} m, straight line", "直线 {n} 米"),
    "limit.rule": ("combined rule", "组合规则"),
    "distance.minutes": ("{n} min", "{n} 分钟"),
    "distance.metres": ("{n} m", "{n} 米"),
    "distance.none": ("no way", "无路可达"),
    "gap.title": ("{rank}. {category}", "{rank}. {category}"),
    "gap.households": ("{n} households in {b} buildings", "{n} 户，{b} 栋"),
    "gap.far": ("half of them have {n} or more to go", "半数住户需 {n} 以上"),
    "gap.no_way": ("no connected way for half of them or more", "半数以上住户无连通道路可达"),
    "gap.none": ("Every household reaches every category.", "各类服务所有住户均可达。"),
    "gap.legend": (
        ("Red: buildings out of reach; pale red: the area they make up; dark dot: a facility that counts, white dot: "
        "one that does not (planned, or not public)."),
        "红色为未覆盖建筑，浅红为盲区范围；深色圆点为纳入统计的设施，白色圆点为未纳入（规划或不对公众开放）的设施。",
    ),
    "more.gaps": (
        ("{n} smaller blind spots with {households} households are left out here; the layer “gaps” of the GeoPackage "
        "has all of them. A household may be in blind spots of several categories."),
        "另有 {n} 处较小盲区（{households} 户）未列出，完整清单见 GeoPackage 的 gaps 图层。同一住户可能处于多类盲区。",
    ),
    "more.findings": (
        "{n} more findings are left out here; the workbook has all of them.",
        "另有 {n} 条未列出，完整清单见台账工作簿。",
    ),
    "none_verified": (" *", " *"),
    "compliance.of": (
        ("How many units have what each standard asks for. A distance is met where {share} of a unit's households are "
        "within it; the tiers of residential areas do not stand in for one another."),
        "各项要求达标的单元数。单元内 {share}的住户在规定距离之内方为达标；各层级设施互不替代。",
    ),
    "compliance.weak": (
        "* The number is not verified, or sources differ on it; check the standard itself before citing it.",
        "* 该数值未核实或来源不一，引用前请查对标准原文。",
    ),
    "compliance.legend": ("{label} ({n})", "{label}（{n} 项次）"),
    "compliance.left": (
        "{n} requirements apply to no unit and are left out: {names}.",
        "另有 {n} 项要求不适用于任何单元，未列出：{names}。",
    ),
    "compliance.many": (
        "There are {n} units; the workbook has all of them.",
        "共 {n} 个单元，逐一结果见台账工作簿。",
    ),
    "compliance.cells": (
        ("Of a distance: the share of households within reach. Of all else: how much of what is needed is there. A "
        "question mark: the data do not tell; a dash: the requirement does not apply."),
        "距离要求为可达户数占比，其余为现有量占应有量的比例；问号表示数据不足，横线表示不适用。",
    ),
    "compliance.unknown": ("?", "?"),
    "compliance.all": ("Whole area", "全域"),
    "out.none": (
        "Every grid that the band applies to is within it.",
        "适用标准的网格均符合标准。",
    ),
    "overview.caption": (
        ("Grids by households against the band. Arrows mark grids above (▲) and below (▼) the band. Shapes are "
        "simplified for display; every figure was counted on the exact data."),
        "网格按户数着色，▲ 为超出上限，▼ 为低于下限。图形为显示而简化，全部数字均按原始数据统计。",
    ),
    "legend.item": ("{label} ({n})", "{label}（{n} 个）"),
    # why a grid is out of its band
    "why.component_total": (
        "Proved: all that is connected there counts {total}; no number of grids within the band adds up to that.",
        "已证明无解：该连通范围合计 {total}，任何数量的合规网格都无法凑成此数。",
    ),
    "why.atom_above_upper": (
        "Proved: one piece that is never cut, {atom}, counts {weight} by itself.",
        "已证明无解：不可拆分单元 {atom} 本身即为 {weight}。",
    ),
    "why.pendant": (
        "Proved: {n} pieces are joined to the rest only through {root} and cannot make grids within the band.",
        "已证明无解：{n} 个单元仅通过 {root} 与其余部分相连，无法组成合规网格。",
    ),
    "why.exhaustive": (
        "Proved: every way to divide the {n} pieces there was tried, and none is within the band.",
        "已证明无解：已穷举该处 {n} 个单元的全部分法，均不合规。",
    ),
    "why.mip": (
        "Proved by integer programming: the {n} pieces there have no division within the band.",
        "已由整数规划证明：该处 {n} 个单元不存在合规分法。",
    ),
    "why.not_found": (
        "No better division was found; that there is none is not proved.",
        "未找到更好的分法，但未证明不存在。",
    ),
    "why.given": ("Drawn by hand; not divided by this program.", "人工划定，非本程序划分。"),
    # method
    "method.grids": (
        ("Grids were cut from pieces that are never split (compounds, buildings, empty land), each grid connected and "
        "inside one community, so that as many as possible are within the band and their borders follow the streets."),
        "网格由不可拆分的单元（院落小区、建筑、空地）组成，每个网格连续且位于一个社区之内，力求符合标准的网格最多、界线沿道路。",
    ),
    "method.given": (
        "The grids were drawn by hand and are judged here by the band.",
        "网格为人工划定，此处仅按标准评价。",
    ),
    "method.network": (
        ("Reach was counted building by building along the streets, from any street near a door to any street near the "
        "facility, never across a barrier or through the wall of a compound with gates."),
        "可达情况沿道路逐栋统计：自楼门附近道路至设施附近道路，不跨越阻隔，也不穿越有大门的小区围墙。",
    ),
    "method.straight": (
        "Reach was counted building by building in a straight line.",
        "可达情况按直线距离逐栋统计。",
    ),
    "method.gaps": (
        ("A blind spot joins buildings out of reach that lie within 120 m of one another; its area is the land within "
        "60 m of them."),
        "相距 120 米以内的未覆盖建筑合为一处盲区，其范围为周边 60 米以内的土地。",
    ),
    "method.sites": (
        ("Sites were chosen among the candidates given, by the same distances; existing facilities count as they are. "
        "What a site brings is counted after those before it."),
        "选址在所给备选点中进行，距离算法与覆盖统计相同，现有设施照常计入；各位置的新增效益按排名依次计算。",
    ),
    "method.display": (
        ("Maps are drawn from the same tables, with coordinates rounded to 0.1 mm on paper and shapes simplified by as "
        "much; nothing was counted on them."),
        "地图由同一数据绘制，坐标按图上 0.1 毫米取整并作相应简化，不用于统计。",
    ),
    "parameter.lower": ("Lower limit", "下限"),
    "parameter.upper": ("Upper limit", "上限"),
    "parameter.weight": ("What the band counts", "计量指标"),
    "parameter.code": ("Scheme of the grid codes", "网格编码规则"),
    "parameter.object_code": ("Object code", "对象代码"),
    "parameter.effort": ("Effort of the search", "计算强度"),
    "parameter.seed": ("Seed", "随机种子"),
    "parameter.minutes": ("Limit in minutes", "时间阈值（分钟）"),
    "parameter.metres": ("Limit in metres", "距离阈值（米）"),
    "parameter.category": ("Category", "设施类别"),
    "parameter.objective": ("Objective", "选址目标"),
    "parameter.count": ("Number of sites", "设施数量"),
    "parameter.target": ("Target", "目标覆盖率"),
    "parameter.budget": ("Budget", "预算"),
    "value.max_coverage": ("most coverage", "覆盖最多"),
    "value.set_cover": ("fewest sites", "设施最少"),
    "value.p_median": ("least way in all", "总路程最短"),
    "value.p_center": ("least longest way", "最远路程最短"),
    "parameter.how": ("Distance", "距离计算"),
    "parameter.k": ("Nearest facilities kept", "最近设施个数"),
    "parameter.profile": ("Who walks", "步行人群"),
    "parameter.versions": ("Versions", "软件版本"),
    "parameter.estimate": ("Estimate of households: {key}", "户数估算：{key}"),
    "value.network": ("along streets", "沿道路"),
    "value.straight": ("straight line", "直线"),
    "value.adult": ("adult", "成人"),
    "value.elderly": ("elderly", "老年人"),
    "value.child": ("child", "儿童"),
    "value.low": ("low", "低"),
    "value.normal": ("normal", "中"),
    "value.high": ("high", "高"),
    "value.households": ("households", "户数"),
    "value.residents": ("residents", "常住人口"),
    "value.dwellings": ("dwellings", "住宅套数"),
    "source.rows": ("{table}: {file}, {kept} of {read} rows", "{table}：{file}，采用 {kept} 行，共 {read} 行"),
    "source.table": ("{table}: {kept} rows", "{table}：{kept} 行"),
    "table.communities": ("Communities", "社区"),
    "table.buildings": ("Buildings", "建筑"),
    "table.streets": ("Streets", "道路"),
    "table.compounds": ("Compounds", "院落小区"),
    "table.barriers": ("Barriers", "阻隔"),
    "table.entrances": ("Entrances", "出入口"),
    "table.facilities": ("Facilities", "设施"),
    "table.grids": ("Grids", "网格"),
    "note.made": ("Made with gridmap {version}.", "由 gridmap {version} 生成。"),
    "note.offline": ("This page needs neither network nor script.", "本页无需网络，也不含脚本。"),
    # atlas
    "atlas.community": ("{community}: {n} grids", "{community}：{n} 个网格"),
    "atlas.grid": ("Grid {code}", "网格 {code}"),
    "atlas.id": ("Code: {id}", "网格编码：{id}"),
    "atlas.scale": ("Scale about 1:{n} when printed on A4", "按 A4 打印时比例尺约 1:{n}"),
    "atlas.caption": (
        ("Shaded: this grid. Numbers refer to the list of buildings; those that would overlap are left off. Grey "
        "codes: neighbouring grids. Triangles: gates."),
        "着色部分为本网格；数字对应楼栋清单，相互重叠的从略；灰色编码为相邻网格；三角形为大门或出入口。",
    ),
    "atlas.roster": ("Buildings of the grid", "楼栋清单"),
    "atlas.roster_note": (
        "{n} buildings with {households} households{estimated}.",
        "共 {n} 栋，{households} 户{estimated}。",
    ),
    "atlas.roster_empty": (
        "{n} of them have no households and are not listed.",
        "其中 {n} 栋无住户，未列出。",
    ),
    "atlas.nearest": ("Nearest facilities", "最近设施"),
    "atlas.nearest_note": (
        "How far half of the households have to go at most, and the facility nearest to most of them.",
        "半数住户到最近设施的距离不超过该值；所列设施为对最多住户而言最近者。",
    ),
    "atlas.split": (
        "A building that is split between grids is listed with its households in this one.",
        "分属多个网格的楼栋，只计本网格内的户数。",
    ),
    "figure.area": ("Area", "面积"),
    "figure.density": ("Households/ha", "每公顷户数"),
    "figure.buildings": ("Buildings", "楼栋"),
    "figure.buildings_value": ("{n}", "{n} 栋"),
}  # fmt: skip


class Say:
    """The words of one language, and its numbers.

    Examples
    --------
    >>> say = Say("en")
    >>> say("figure.grids_note", n=say.number(1200), area='2 km²'), say.share(0.5), say.number(3.14159, 1)
    ('in 1,200 communities, 2 km²', '50.0 %', '3.1')
    """

    def __init__(self, lang: str) -> None:
        self.lang = lang
        self._column = LANGUAGES.index(lang)

    def __call__(self, key: str, **values: object) -> str:
        """The words of `key` with the values filled in."""
        words = REPORT_WORDS[key][self._column]
        return words.format(**values) if values else words

    def has(self, key: str) -> bool:
        """Whether there are words for `key`."""
        return key in REPORT_WORDS

    def number(self, value: float, digits: int = 0) -> str:
        """A number with its thousands apart; a dash where there is none."""
        return self("none") if value is None or math.isnan(value) else f"{value:,.{digits}f}"

    def share(self, value: float, digits: int = 1) -> str:
        """A share in per cent; a dash where there is none."""
        if value is None or math.isnan(value):
            return self("none")
        # 99.96 % is not all, and 0.04 % is not none
        shown = min(max(100 * value, 0 if value == 0 else 10**-digits), 100 if value == 1 else 100 - 10**-digits)
        return f"{shown:.{digits}f}{' ' if self.lang == 'en' else ''}%"
