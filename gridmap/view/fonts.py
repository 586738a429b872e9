"""Fonts with Chinese letters: one list for figures and printed pages."""

from __future__ import annotations

__all__ = ["CHINESE_FONTS"]

#: Those of Windows, macOS and Linux, the preferred first; where none is installed, Chinese words cannot be drawn.
CHINESE_FONTS = (
    "Microsoft YaHei", "PingFang SC", "Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "Hiragino Sans GB",
    "Heiti SC", "STHeiti", "SimHei", "SimSun", "WenQuanYi Micro Hei", "WenQuanYi Zen Hei", "Noto Serif CJK SC",
    "Songti SC", "Droid Sans Fallback",
)  # fmt: skip
