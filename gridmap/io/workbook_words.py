"""The words of the workbook, English and Chinese."""

from __future__ import annotations

from gridmap.io.osm_tags import facility_categories

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
    "total": ("Households", "户数"),
    "covered": ("Households covered", "覆盖户数"),
    "rate": ("Coverage rate", "覆盖率"),
    "facilities": ("Facilities", "设施数"),
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
