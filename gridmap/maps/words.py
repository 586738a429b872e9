"""Every word of the page in both languages, so that no page mixes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gridmap.errors import OptionError
from gridmap.tables.categories import facility_categories

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["LANGUAGES", "WORDS", "category_labels", "check_language", "languages_of", "words"]

LANGUAGES = ("en", "zh")
BOTH = ("zh", "en")

#: key: (English, Chinese). ``{name}`` is filled in.
WORDS: dict[str, tuple[str, str]] = {
    # page
    "title.default": ("Grids and service circles", "网格与服务圈"),
    "title.grids": ("Community grids", "社区网格"),
    "title.cover": ("15-minute service circles", "15分钟生活服务圈"),
    "skip": ("Skip to the map", "跳到地图"),
    "map": ("Map", "地图"),
    "map.keys": (
        "Arrow keys move, plus and minus zoom, Enter shows what is in the middle.",
        "方向键移动，加减键缩放，回车键查看中心位置。",
    ),
    "readout": ("Latitude {lat}, longitude {lon} ({datum})", "纬度 {lat}，经度 {lon}（{datum}）"),
    "measure": ("Measure a distance or an area", "量测距离或面积"),
    "measure.hint": ("Click places on the map; Escape ends.", "在地图上依次点击，按退出键结束。"),
    "measure.distance": ("Distance {n}", "距离 {n}"),
    "measure.area": ("area {n}", "面积 {n}"),
    "fullscreen": ("Full screen", "全屏"),
    "layers": ("Layers and legend", "图层与图例"),
    "details": ("Figures", "数据"),
    "search": ("Search name or code", "搜索名称或编码"),
    "search.none": ("Nothing found", "没有结果"),
    "search.count": ("{n} results", "{n} 条结果"),
    "button.home": ("Show the whole area", "显示全部范围"),
    "button.print": ("Print", "打印"),
    "button.layers": ("Show or hide layers and legend", "显示或隐藏图层与图例"),
    "button.details": ("Show or hide figures", "显示或隐藏数据"),
    "button.back": ("Whole area", "返回全域"),
    "button.zoom": ("Show on the map", "在地图上显示"),
    "button.more": ("Show all {n}", "显示全部 {n} 条"),
    "zoom.in": ("Zoom in", "放大"),
    "zoom.out": ("Zoom out", "缩小"),
    "north": ("N", "北"),
    "date": ("Date: {date}", "制图日期：{date}"),
    "approval": ("Map approval number: {number}", "审图号：{number}"),
    "internal": ("Internal", "内部资料"),
    "print.scale": ("Scale 1:{n} on A3", "比例尺 1:{n}（A3 幅面）"),
    "print.more": ("The file itself shows more.", "更多内容见电子文件。"),
    "hint.zoom": ("zoom in to see them", "放大后显示"),
    "unit.m": ("{n} m", "{n} 米"),
    "unit.km": ("{n} km", "{n} 千米"),
    "unit.min": ("{n} min", "{n} 分钟"),
    "unit.ha": ("{n} ha", "{n} 公顷"),
    "unit.km2": ("{n} km²", "{n} 平方千米"),
    "unit.m2": ("{n} m²", "{n} 平方米"),
    "unit.households": ("households", "户"),
    "unit.households_estimated": ("households (estimated)", "户（估算）"),
    "unit.per_ha": ("{n} households/ha", "{n} 户/公顷"),
    "list.join": (", ", "、"),
    "none": ("–", "–"),
    "yes": ("yes", "是"),
    "no": ("no", "否"),
    # groups of layers
    "group.grids": ("Division", "网格划分"),
    "group.services": ("Services", "服务设施"),
    "group.ground": ("Ground", "底图要素"),
    "group.own": ("Other layers", "其他图层"),
    # layers
    "layer.grids": ("Grids", "网格"),
    "layer.communities": ("Communities", "社区"),
    "layer.compounds": ("Compounds", "院落小区"),
    "layer.gates": ("Gates and entrances", "大门与出入口"),
    "layer.findings": ("Findings", "提示"),
    "layer.circles": ("Service circles", "服务圈"),
    "layer.blind": ("Blind spots", "服务盲区"),
    "layer.gaps": ("Areas of blind spots", "盲区范围"),
    "layer.routes": ("Walking route", "步行路线"),
    "layer.facilities": ("Facilities", "设施"),
    "layer.buildings": ("Buildings", "建筑"),
    "layer.streets": ("Streets", "道路"),
    "layer.barriers": ("Water, railways, barriers", "水系、铁路与阻隔"),
    "layer.blocks": ("Blocks", "街区"),
    "layer.atoms": ("Atoms of the division", "划分单元"),
    "layer.own": ("Layer {n}", "图层 {n}"),
    # grids
    "theme": ("Colour grids by", "网格着色"),
    "theme.households": ("Households ({lower}–{upper})", "户数（标准 {lower}–{upper} 户）"),
    "theme.bands": ("Against the band of the community", "与所在社区标准相比"),
    "theme.coverage": ("Coverage: {category}", "覆盖率：{category}"),
    "theme.compliance": ("Share of requirements met", "标准达标率"),
    "theme.none": ("Outlines only", "仅轮廓"),
    "theme.circles": ("Outlines, since service circles are shown", "显示服务圈时只绘轮廓"),
    "status.legal": ("Within the band", "符合标准"),
    "status.above": ("Above the band", "超出上限"),
    "status.below": ("Below the band", "低于下限"),
    "status.empty": ("No households", "无住户"),
    "status.dedicated": ("Dedicated grid", "专属网格"),
    "status.unknown": ("Not known", "未知"),
    "class.range": ("{low}–{high} households", "{low}–{high} 户"),
    "class.span": ("{low}–{high}", "{low}–{high}"),
    "class.over_to": ("Over {low} to {high}", "{low} 以上至 {high}"),
    "class.under": ("Below {high} households", "不足 {high} 户"),
    "class.over": ("Above {low} households", "超过 {low} 户"),
    "class.band_far_below": ("Below two thirds of the lower limit", "不足下限的三分之二"),
    "class.band_below": ("Below the lower limit", "低于下限"),
    "class.band_low": ("Within the band, lower half", "符合标准（偏少）"),
    "class.band_high": ("Within the band, upper half", "符合标准（偏多）"),
    "class.band_above": ("Above the upper limit", "超出上限"),
    "class.band_far_above": ("Above four thirds of the upper limit", "超出上限三分之一以上"),
    "class.rate": ("{low}–{high} %", "{low}–{high}%"),
    "class.not_judged": ("Not judged", "未作判定"),
    "class.no_households": ("No households", "无住户"),
    "class.community": ("Border of a community", "社区界线"),
    "class.compound": ("Outline of a compound", "院落小区轮廓"),
    "class.gate": ("Gate or entrance", "大门或出入口"),
    "class.grid": ("Border of a grid", "网格界线"),
    "class.minutes": ("Within {n} min", "{n} 分钟以内"),
    "class.metres": ("Within {n} m", "{n} 米以内"),
    "class.blind": ("Building out of reach", "未覆盖建筑"),
    "class.route": ("Way along the streets", "沿道路的路线"),
    "class.leg": ("From the door to the street", "从门口到道路"),
    "class.served": ("{n} buildings within reach", "可达建筑 {n} 栋"),
    "class.near": ("{n} buildings nearest to it, yet out of reach", "以其为最近、但不可达的建筑 {n} 栋"),
    "class.own_circle": ("Its own circle", "该设施的服务圈"),
    "class.deviation": ("As drawn, off by at most {n} of the count", "所绘范围与统计户数最多相差 {n}"),
    "class.gap": ("Area out of reach", "未覆盖范围"),
    "class.building": ("Building", "单栋建筑"),
    "class.block": ("Block", "街区范围"),
    "class.street": ("Street", "道路"),
    "class.path": ("Path or steps", "小路或台阶"),
    "class.water": ("Water", "水系"),
    "class.rail": ("Railway", "铁路"),
    "class.wall": ("Wall or other barrier", "围墙或其他阻隔"),
    "class.atom": ("Smallest piece, never cut", "不可再分的最小单元"),
    "severity.error": ("Error", "错误"),
    "severity.warning": ("Warning", "警告"),
    "severity.info": ("Note", "说明"),
    "service": ("Service", "服务类别"),
    # side panel
    "panel.city": ("Whole area", "全域概况"),
    "panel.grid": ("Grid", "网格"),
    "panel.community": ("Community", "社区"),
    "panel.compound": ("Compound", "院落小区"),
    "panel.building": ("Building", "建筑"),
    "panel.facility": ("Facility", "设施"),
    "panel.street": ("Street", "道路"),
    "panel.hint": (
        "Click a grid, a facility or, closer in, a building to see its figures.",
        "点击网格或设施查看数据；放大后可点击建筑。",
    ),
    "fact.grids": ("Grids", "网格"),
    "fact.in_band": ("Grids of {lower}–{upper} households", "{lower}–{upper} 户的网格"),
    "fact.in_own_band": ("Grids within the band of their community", "符合所在社区标准的网格"),
    "fact.band": ("Counted for the band", "按标准计数"),
    "band.between": ("{n} {counted}, of {lower}–{upper}", "{n} {counted}（标准 {lower}–{upper}）"),
    "band.from": ("{n} {counted}, of {lower} or more", "{n} {counted}（标准不少于 {lower}）"),
    "counted.households": ("households", "户"),
    "counted.residents": ("residents", "人"),
    "counted.dwellings": ("dwellings", "套"),
    "counted.weight": ("units of work", "工作量"),
    "fact.communities": ("Communities", "社区"),
    "fact.households": ("Households", "户数"),
    "fact.households_estimated": ("Households (estimated)", "户数（估算）"),
    "fact.residents": ("Residents", "常住人口"),
    "fact.registered": ("Registered residents", "户籍人口"),
    "fact.dwellings": ("Dwellings", "住宅套数"),
    "fact.elderly": ("Elderly", "老年人口"),
    "fact.elderly_80": ("Aged 80 and over", "八十岁以上老人"),
    "fact.children": ("Children", "儿童"),
    "fact.shops": ("Shops", "商铺"),
    "fact.enterprises": ("Enterprises", "企业"),
    "fact.density_per_ha": ("Density (households per hectare)", "密度（户/公顷）"),
    "fact.metres": ("Length (m)", "长度（米）"),
    "fact.minutes": ("Time (min)", "时间（分钟）"),
    "fact.streets": ("Streets", "道路"),
    "fact.area": ("Area", "面积"),
    "fact.density": ("Density", "密度"),
    "fact.buildings": ("Buildings", "建筑"),
    "fact.facilities": ("Facilities", "设施"),
    "fact.kind": ("Kind", "类型"),
    "fact.community": ("Community", "社区"),
    "fact.grid": ("Grid", "网格"),
    "fact.compound": ("Compound", "院落小区"),
    "fact.address": ("Address", "地址"),
    "fact.phone": ("Telephone", "电话"),
    "fact.hours": ("Opening hours", "开放时间"),
    "fact.status": ("Status", "状态"),
    "fact.use": ("Use", "用途"),
    "fact.floors": ("Floors", "层数"),
    "kind.basic": ("Basic grid", "基础网格"),
    "kind.dedicated": ("Dedicated grid", "专属网格"),
    "kind.responsibility": ("Responsibility area", "责任片区"),
    "kind.urban": ("Urban community", "城市社区"),
    "kind.rural": ("Rural community", "涉农社区"),
    "kind.resettlement": ("Resettlement community", "拆迁安置社区"),
    "kind.industrial": ("Industrial community", "产业社区"),
    "use.residential": ("Residential", "住宅"),
    "use.apartments": ("Apartments", "公寓住宅"),
    "use.house": ("House", "独立住宅"),
    "use.commercial": ("Commercial", "商业"),
    "use.retail": ("Shops", "商铺"),
    "use.office": ("Offices", "办公"),
    "use.school": ("School", "学校"),
    "use.hospital": ("Hospital", "医院"),
    "use.industrial": ("Industry", "工业"),
    "use.public": ("Public", "公共"),
    "use.mixed": ("Mixed use", "商住混合"),
    "use.dormitory": ("Dormitory", "宿舍"),
    "use.yes": ("Building", "建筑"),
    "facility_status.existing": ("Existing", "已建"),
    "facility_status.planned": ("Planned", "规划"),
    "facility_status.candidate": ("Candidate", "备选"),
    "facility_status.chosen": ("Chosen", "选定"),
    "section.statuses": ("Grids by status", "网格达标情况"),
    "section.coverage": ("Coverage rate", "覆盖率"),
    "section.compliance": ("Compliance with standards", "标准达标情况"),
    "compliance.met": ("{met} of {judged} requirements met. ", "{judged} 项要求中 {met} 项达标。"),
    "compliance.none": ("Nothing could be judged. ", "未能判定。"),
    "compliance.open": ("The data do not tell about {open} more.", "另有 {open} 项数据不足。"),
    "section.findings": ("Findings", "提示"),
    "section.grids": ("Grids", "网格"),
    "section.reach": ("Nearest facility on foot", "最近设施（步行）"),
    "section.reach_straight": ("Nearest facility in a straight line", "最近设施（直线）"),
    "section.ranks": ("Place among the {n} grids of its community", "在社区 {n} 个网格中的排名"),
    "section.served": ("Whom it serves", "服务对象"),
    "rank.households": ("Households, most first", "户数（从多到少）"),
    "rank.density": ("Density, highest first", "密度（从高到低）"),
    "rank.coverage": ("Mean of the coverage rates, highest first", "平均覆盖率（从高到低）"),
    "rank.place": ("{n}", "第 {n}"),
    "sites.title": ("Chosen sites", "选址方案"),
    "sites.proved": ("No other choice of candidates is better (proved).", "已证明备选点中没有更优的方案。"),
    "sites.gap": ("At most {n} from the best possible choice.", "与最优方案的差距不超过 {n}。"),
    "sites.site": ("Site", "位置"),
    "sites.covered": ("Newly covered", "新增覆盖"),
    "sites.saved": ("Way saved", "节省路程"),
    "sites.reachable": ("With all", "全部建成"),
    "gains.category": ("Service", "服务类别"),
    "gains.rate": ("{before} → {after}", "{before} → {after}"),
    "gains.rates": ("Rate", "覆盖率"),
    "fact.site_rank": ("Rank by gain", "效益排名"),
    "fact.site_gain": ("Gain in this order", "按此顺序的新增效益"),
    "fact.served": ("Households within reach, nearest to it", "以其为最近且可达的户数"),
    "fact.near": ("Households nearest to it in all", "以其为最近的全部户数"),
    "nearest.minutes": ("within {n} min for half of the households", "半数住户在 {n} 分钟以内"),
    "nearest.metres": ("within {n} m for half of the households", "半数住户在 {n} 米以内"),
    "nearest.none": ("no way for more than half of the households", "半数以上住户无路可达"),
    "button.route": ("Show the route to {name}", "显示到 {name} 的路线"),
    "photo": ("Photo", "照片"),
    "photo.of": ("Photo of {name}", "{name} 的照片"),
    "photo.online": ("Open on the web", "在网上查看"),
    "section.notes": ("About this map", "说明"),
    "coverage.of": ("Share of {n} households within reach", "可达住户占 {n} 户的比例"),
    "coverage.of_estimated": ("Share of {n} estimated households within reach", "可达住户占 {n} 户（估算）的比例"),
    "coverage.within_minutes": ("within {n} min on foot", "步行 {n} 分钟以内"),
    "coverage.within_metres": ("within {n} m along the streets", "沿道路 {n} 米以内"),
    "coverage.straight_minutes": ("within {n} min in a straight line", "直线 {n} 分钟以内"),
    "coverage.straight_metres": ("within {n} m in a straight line", "直线 {n} 米以内"),
    "clause": (", ", "，"),
    "share.of": ("{part} of {all}", "{all} 个中 {part} 个"),
    "tip.households": ("{n} households", "{n} 户"),
    "coverage.row": ("{covered} of {total} households", "{total} 户中 {covered} 户"),
    "coverage.institutional": ("Has a facility of its own", "辖区内有机构"),
    "coverage.none": ("No households to cover", "无住户"),
    "reach.unreachable": ("not connected by streets", "道路不连通"),
    "reach.unsnapped": ("too far from any street", "离道路过远"),
    "reach.covered": ("covered", "已覆盖"),
    "reach.uncovered": ("not covered", "未覆盖"),
    "finding.cure": ("Cure: {cure}", "处理建议：{cure}"),
    # notes
    "note.estimated": (
        "Household numbers are estimates, made from building size and use, not counts.",
        "户数为按建筑规模与用途估算的结果，并非实际统计。",
    ),
    "note.synthetic": (
        "The data is synthetic: places, names and numbers are invented.",
        "数据为虚构：地点、名称与数字均非真实。",
    ),
    "note.display": (
        "Shapes are simplified by at most {tolerance} m for display; all figures were counted on the exact data.",
        "图形为显示而简化（不超过 {tolerance} 米）；全部数字均按原始数据统计。",
    ),
    "note.counted": (
        "Coverage is counted building by building along the streets; the drawn circles only illustrate it.",
        "覆盖率按建筑沿道路逐栋统计，所绘服务圈仅作示意。",
    ),
    "note.routes": (
        "Walking routes are those the minutes were counted on; they take {n} MB of this page.",
        "步行路线与所统计的时间一致，占本页 {n} 兆字节。",
    ),
    "note.photos": (
        "{n} photos were left out: absent, no picture, or too large.",
        "{n} 张照片未收录：文件不存在、不是图片或过大。",
    ),
    "note.datum": (
        "Drawn in {datum} to fit its tiles: places lie some hundred metres from where WGS 84 or CGCS2000 have them.",
        "图形按 {datum} 绘制以配合其底图，与 WGS 84 或 CGCS2000 的位置相差数百米。",
    ),
    "note.basemap": ("The base map is loaded from the network.", "底图需联网加载。"),
    "note.source": ("Data: {source}", "数据来源：{source}"),
    "note.made": (
        "Made with gridmap {version}; map display by Leaflet {leaflet}.",
        "由 gridmap {version} 生成，地图显示采用 Leaflet {leaflet}。",
    ),
    "note.no_script": ("This map needs JavaScript.", "本地图需要启用 JavaScript。"),
}  # fmt: skip


def languages_of(lang: str | Sequence[str]) -> tuple[str, ...]:
    """The languages of a page, the one it opens in first: ``"both"`` is Chinese and English.

    Raises
    ------
    OptionError
        For any other language, naming those there are.
    """
    named = BOTH if lang == "both" else (lang,) if isinstance(lang, str) else tuple(lang)
    if not named or any(one not in LANGUAGES for one in named) or len(set(named)) < len(named):
        known = ", ".join(map(repr, LANGUAGES))
        raise OptionError(f"lang={lang!r} is not a language of the map; use one of {known}, or 'both'")
    return named


def check_language(lang: str) -> None:
    """Refuse what is not one language of a printed page.

    Raises
    ------
    OptionError
        Naming those there are.
    """
    if lang not in LANGUAGES:
        known = " or ".join(map(repr, LANGUAGES))
        raise OptionError(f"lang={lang!r} is not a language of a printed page; use {known}")


def words(lang: str) -> dict[str, str]:
    """All words of the page in one language, by key."""
    column = LANGUAGES.index(lang)
    return {key: both[column] for key, both in WORDS.items()}


def category_labels(categories: Iterable[str], lang: str) -> dict[str, str]:
    """Categories as a person reads them; one that no list knows stays as the data names it."""
    column = LANGUAGES.index(lang)
    known = {key: (c.name_en, c.name_zh) for key, c in facility_categories()[0].items()}
    return {c: known[key][column] if (key := c.strip().lower()) in known else _plain(c) for c in categories}


def _plain(category: str) -> str:
    return category.replace("_", " ").strip() if category.isascii() else category
