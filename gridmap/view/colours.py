"""Colours of grids and rates, and what a legend calls them: one place for the map, the printed pages and the figures.

They keep apart under the common kinds of colour blindness: blue below the band, orange above it (ColorBrewer's
diverging pair), pale green-grey within it; rates run from sand to blue. Wherever they are used a mark, a hatching or a
label goes with them, never colour alone.
"""

from __future__ import annotations

import math

__all__ = [
    "ABOVE",
    "BELOW",
    "CIRCLES",
    "DEDICATED",
    "EMPTY",
    "FAR_ABOVE",
    "FAR_BELOW",
    "LEGAL_HIGH",
    "LEGAL_LOW",
    "RATES",
    "RATE_BREAKS",
    "STATUS_COLOURS",
    "STATUS_WORDS",
    "UNCOVERED",
    "UNKNOWN",
    "rate_class",
]

FAR_BELOW, BELOW = "#5b8fc4", "#a6c6e4"
LEGAL_LOW, LEGAL_HIGH = "#dbe8d8", "#bcd5bd"
ABOVE, FAR_ABOVE = "#f6b26b", "#d9741a"
EMPTY, DEDICATED, UNKNOWN = "#efece6", "#dcd3e6", "#e6e3dd"
#: Status of a grid and its colour, in the order of a legend.
STATUS_COLOURS = {
    "legal": LEGAL_HIGH, "above": ABOVE, "below": BELOW, "empty": EMPTY, "dedicated": DEDICATED, "unknown": UNKNOWN,
}  # fmt: skip
#: What a legend says of each.
STATUS_WORDS = {
    "legal": "within the band", "above": "above the band", "below": "below the band", "empty": "no households",
    "dedicated": "dedicated", "unknown": "not known",
}  # fmt: skip
#: Fixed fifths of a coverage rate, so that maps of different categories compare.
RATE_BREAKS = (0.2, 0.4, 0.6, 0.8)
RATES = ("#f6ebd0", "#d6e4c8", "#a5cfba", "#70b2ae", "#4a90a4")
#: Service circles from the nearest to the farthest.
CIRCLES = ("#7a68b3", "#a99ccf", "#d3cae6", "#e2dcef", "#f0edf6")
#: A building or a household that does not reach a category.
UNCOVERED = "#b3261e"


def rate_class(rate: float) -> int:
    """Number of the fifth that a rate lies in, its upper end included; -1 for none (NaN)."""
    return -1 if math.isnan(rate) else sum(rate > limit for limit in RATE_BREAKS)
