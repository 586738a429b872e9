"""The words of the workbook, English and Chinese."""

from __future__ import annotations

from gridmap.tables.categories import facility_categories

__all__ = ["WORDS", "category_word", "word"]

#: key: (English, Chinese)
WORDS: dict[str, tuple[str, str]] = {
    "title": ("Community grids and service coverage", "社区网格与服务覆盖台账"),
    "summary": ("Summary", "概览"),
    "ledger": ("Grid ledger", "网格台账"),
    "by_grid": ("Coverage by grid", "网格覆盖率"),
    "by_community": ("Coverage by community", "社区覆盖率"),
    "overall": ("Coverage", "全域覆盖率"),
    "institutions": ("Facilities by community", "社区设施数"),
    "gaps": ("Blind spots", "服务盲区"),
    "compliance": ("Compliance", "达标表"),
    "requirements": ("Requirements", "标准要求"),
    "compliance_detail": ("Compliance in figures", "达标明细"),
    "findings": ("Findings", "问题清单"),
    "assumptions": ("Assumptions and sources", "假设与来源"),
    # summary
    "figure": ("Figure", "指标"),
    "value": ("Value", "数值"),
    "contents": ("Sheets", "工作表"),
    "communities": ("Communities", "社区数"),
    "grids": ("Grids", "网格数"),
    "in_band": ("Grids in the band", "合规网格数"),
    "in_band_share": ("Share in the band", "合规率"),
    "above_count": ("Grids above the band", "超上限网格数"),
    "below_count": ("Grids below the band", "低于下限网格数"),
    "dedicated_count": ("Dedicated grids", "专属网格数"),
    "empty_count": ("Grids without households", "无住户网格数"),
    "band": ("Band (households)", "规模标准（户）"),
    "estimated_share": ("Share of households that are estimates", "估算户数占比"),
    "n_findings": ("Findings", "问题数"),
    # ledger
    "grid_id": ("Grid code", "网格编码"),
    "name": ("Name", "名称"),
    "community_id": ("Community code", "社区编码"),
    "community": ("Community", "社区"),
    "kind": ("Kind", "类型"),
    "status": ("Status", "状态"),
    "households": ("Households", "户数"),
    "estimated": ("of which estimated", "其中估算户数"),
    "residents": ("Residents", "常住人口"),
    "registered": ("Registered", "户籍人口"),
    "dwellings": ("Dwellings", "住宅套数"),
    "elderly": ("Elderly", "老年人口"),
    "elderly_80": ("Aged 80 and over", "80岁以上人口"),
    "children": ("Children", "儿童"),
    "shops": ("Shops", "商铺"),
    "enterprises": ("Enterprises", "企业"),
    "buildings": ("Buildings", "楼栋数"),
    "area_ha": ("Area (ha)", "面积（公顷）"),
    "remark": ("Remark", "备注"),
    "legal": ("in the band", "合规"),
    "above": ("above", "超上限"),
    "below": ("below", "低于下限"),
    "empty": ("no households", "无住户"),
    "dedicated": ("dedicated", "专属网格"),
    "basic": ("basic", "基础网格"),
    "responsibility": ("responsibility area", "责任片区"),
    # coverage
    "category": ("Category", "设施类别"),
    "minutes": ("Within (minutes)", "阈值（分钟）"),
    "metres": ("Within (m)", "阈值（米）"),
    "within_minutes": ("within {:g} min", "{:g}分钟"),
    "within_metres": ("within {:g} m", "{:g}米"),
    "total": ("Households", "户数"),
    "covered": ("Households covered", "覆盖户数"),
    "rate": ("Coverage rate", "覆盖率"),
    "facilities": ("Facilities", "设施数"),
    "rank": ("No.", "序号"),
    "uncovered": ("Households not covered", "未覆盖户数"),
    "minutes_median": ("Median (minutes)", "距离中位数（分钟）"),
    "minutes_max": ("Farthest (minutes)", "最远（分钟）"),
    "metres_median": ("Median (m)", "距离中位数（米）"),
    "metres_max": ("Farthest (m)", "最远（米）"),
    # compliance
    "unit": ("Unit", "单元"),
    "unit_id": ("Unit code", "单元编码"),
    "requirement": ("Requirement", "要求"),
    "standard": ("Standard", "标准"),
    "clause": ("Clause", "条款"),
    "verification": ("Verification", "核实状态"),
    "number_from": ("Source of the number", "数值来源"),
    "met": ("Met", "达标"),
    "partly": ("Partly", "部分达标"),
    "not_met": ("Not met", "未达标"),
    "no_data": ("No data", "数据不足"),
    "does_not_apply": ("Does not apply", "不适用"),
    "met_share": ("Share met", "达标率"),
    "needed": ("Needed", "应有"),
    "present": ("There is", "现有"),
    "counted_in": ("Counted in", "计量单位"),
    "reachable": ("Within reach", "可达户数占比"),
    "area_short": ("Short of (m²)", "面积缺口（平方米）"),
    "places_short": ("Short of (number)", "数量缺口"),
    # findings
    "severity": ("Severity", "级别"),
    "rule": ("Rule", "规则"),
    "message": ("What is so", "问题说明"),
    "cure": ("What would change it", "处理建议"),
    "ids": ("Concerns", "涉及对象"),
    "error": ("error", "错误"),
    "warning": ("warning", "警告"),
    "info": ("info", "提示"),
    # assumptions
    "about": ("About", "对象"),
    "item": ("Item", "项目"),
    "division": ("Division", "网格划分"),
    "coverage": ("Coverage", "覆盖计算"),
    "estimate": ("Household estimate", "户数估算"),
    "source": ("Source", "数据来源"),
    "denominator": ("Denominator of the rates", "覆盖率分母"),
    "lower": ("Lower limit (households)", "户数下限"),
    "upper": ("Upper limit (households)", "户数上限"),
    "weight": ("Weight", "计量指标"),
    "code": ("Code rule", "编码规则"),
    "object_code": ("Object code", "对象代码"),
    "highest_numbers": ("Highest number given", "已用最大序号"),
    "effort": ("Effort", "计算强度"),
    "seed": ("Seed", "随机种子"),
    "how": ("Distance", "距离"),
    "k": ("Nearest facilities counted", "最近设施个数"),
    "profile": ("Walker", "步行人群"),
    "floor_area_per_household": ("Floor area per household (m²)", "户均建筑面积（平方米）"),
    "default_floors": ("Floors where unknown", "层数未知时的默认层数"),
    "households_per_dwelling": ("Households per dwelling", "每套住宅户数"),
    "households_per_floor": ("Households per floor, for points", "点状楼栋每层户数"),
    "minimum_footprint": ("Smallest footprint lived in (m²)", "最小居住基底面积（平方米）"),
    "by_use": ("By use", "按用途"),
    "rows": ("Buildings by rule", "各规则适用楼栋数"),
    "kept": ("Buildings with counts", "已有户数的楼栋"),
    "estimated_households": ("Households estimated", "估算户数合计"),
    "unrecognised_uses": ("Uses not recognised, taken as residential", "未识别用途（按居住计）"),
    "unknown_points": ("Points nothing is known of (0 households)", "信息不足的点（按0户计）"),
    "file": ("File", "文件"),
    "format": ("Format", "格式"),
    "layer": ("Layer", "图层"),
    "rows_read": ("Rows read", "读取行数"),
    "rows_kept": ("Rows kept", "保留行数"),
    "left_out": ("Left out", "剔除"),
    "mended": ("Mended", "已修复"),
    "columns": ("Column", "字段对应"),
    "households_from": ("Households taken from", "户数取自字段"),
    "ids_from": ("Ids taken from", "编号取自"),
    "crs_from": ("Coordinates", "坐标系依据"),
    "streets": ("Streets", "道路"),
    "compounds": ("Compounds", "院落/小区"),
    "barriers": ("Barriers", "阻隔"),
    "entrances": ("Entrances", "出入口"),
    # sentences
    "all_estimated": (
        "All households are estimates, not counts: see the sheet “{sheet}”.",
        "全部户数均为估算值，并非实际统计，见“{sheet}”工作表。",
    ),
    "some_estimated": (
        "{share} of the households ({n} of {total}) are estimates, not counts; see the column “{column}”.",
        "{share}的户数（{total}户中{n}户）为估算值，并非实际统计；各网格见“{column}”一列。",
    ),
    "not_estimated": (
        "Households as given in the source; none were estimated here. Whether the source counted them: “{sheet}”.",
        "户数取自数据来源，本次未作估算；来源说明见“{sheet}”工作表。",
    ),
    "rate_note": (
        "A rate is the share of a unit's households that reach such a facility. Facilities in the unit: “{sheet}”.",
        "覆盖率为该单元内可到达某类设施的户数占比；单元内设施数量另见“{sheet}”。",
    ),
    "compliance_note": (
        "Compliance: a distance is met where {share} of a unit's households are within it; see “{sheet}”.",
        "达标判定：单元内{share}的住户在规定距离之内方为达标，见“{sheet}”。",
    ),
    "page": ("Page &P of &N", "第 &P 页，共 &N 页"),
}

_LANGUAGES = ("en", "zh")


def word(key: str, lang: str) -> str:
    """A word in a language; what is not a word of ours stays as it is."""
    pair = WORDS.get(key)
    return key if pair is None else pair[_LANGUAGES.index(lang)]


def category_word(category: str, lang: str) -> str:
    """A facility category as people call it; one's own categories stay as they are."""
    known = facility_categories()[0].get(category)
    if known is None:
        return category
    return known.name_zh if lang == "zh" else known.name_en
