"""Words of the swipe between two states, in both languages; see `gridmap.maps.words`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gridmap.maps.words import LANGUAGES

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["SWIPE_WORDS", "side_words"]

#: key: (English, Chinese). ``{name}`` is filled in.
SWIPE_WORDS: dict[str, tuple[str, str]] = {
    "swipe.before": ("Before", "调整前"),
    "swipe.after": ("After", "调整后"),
    "swipe.divider": ("Divider between {before} and {after}", "{before}与{after}的分界线"),
    "swipe.at": ("{n} % of the map shows {before}", "地图的 {n}% 显示{before}"),
    "swipe.legend": ("Counts are those of: {after}", "数量为：{after}"),
    "gains.title": ("Who gained", "覆盖变化"),
    "gains.community": ("Community", "社区"),
    "gains.gained": ("Gained", "新增"),
    "gains.lost": ("Lost", "减少"),
    "gains.of": ("Households that came within reach or fell out of it: {category}", "新增或失去覆盖的户数：{category}"),
    "gains.unit": ("Households", "单位：户"),
    "changes.title": ("What changed", "网格变化"),
    "changes.moved": ("Households in another grid", "改属其他网格的户数"),
    "changes.share": ("Share of all households", "占总户数"),
    "changes.buildings": ("Buildings in another grid", "改属其他网格的建筑"),
    "changes.untouched": ("Grids as before", "未变的网格"),
    "changes.changed": ("Grids changed", "有变化的网格"),
    "changes.new": ("Grids new", "新增的网格"),
    "changes.gone": ("Grids gone", "撤销的网格"),
    "changes.grids": ("Grids", "网格"),
    "changes.in_band": ("In band", "符合标准"),
    "changes.households": ("Moved", "改属户数"),
    "changes.came": ("Came from", "来自"),
    "changes.none": ("Nothing came from another grid.", "没有从其他网格划入的住户。"),
    "changes.elsewhere": ("no grid before", "原不属任何网格"),
}  # fmt: skip


def side_words(lang: str, names: Sequence[Any]) -> dict[str, str]:
    """The words in one language, by key; `names` of the sides, where given, in place of "Before" and "After"."""
    column = LANGUAGES.index(lang)
    out = {key: both[column] for key, both in SWIPE_WORDS.items()}
    for key, name in zip(("swipe.before", "swipe.after"), names, strict=False):
        out[key] = str(name if isinstance(name, str) else name.get(lang) or next(iter(name.values())))
    return out
