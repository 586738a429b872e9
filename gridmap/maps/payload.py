"""Payload: everything a page shows, as one value that JSON can hold."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import numpy as np

from gridmap.maps import classes, facts
from gridmap.maps.bands import bands_of
from gridmap.maps.chosen_sites import sites_payload
from gridmap.maps.columns import coded, rows_of
from gridmap.maps.drawn import draw_own, draw_tables
from gridmap.maps.edit_data import edit_payload
from gridmap.maps.edit_words import edit_words
from gridmap.maps.routes import pack_routes
from gridmap.maps.served import facilities_of_units, served_by_facility
from gridmap.maps.wording import difference, merged, word_page

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gridmap.maps.bands import Bands
    from gridmap.maps.layers import Content
    from gridmap.maps.sheet import Sheet
    from gridmap.maps.wording import Given

__all__ = ["build_payload"]


def build_payload(
    sheet: Sheet,
    given: Given,
    *,
    languages: Sequence[str] = ("en",),
    date: str | None = None,
    lower: float = 300,
    upper: float = 500,
    routes: bool | None = None,
    edit: bool = False,
) -> dict[str, Any]:
    """The payload of a page from what lies on its sheet; see `gridmap.maps.explore`.

    What a language changes is in the first of `languages`; ``other`` holds what is not the same in the second.
    """
    content = sheet.content
    lower, upper = _band(content, lower, upper)
    bands = _bands(content, lower, upper)
    _settle_statuses(content, bands)
    rates = _grid_rates(sheet)
    payload: dict[str, Any] = {
        "date": date or dt.datetime.now(tz=dt.UTC).astimezone().date().isoformat(),
        "frame": [sheet.frame.lon0, sheet.frame.lat0, sheet.frame.dlon, sheet.frame.dlat],
        "bounds": [round(float(b), 6) for b in sheet.bounds],
        "band": [lower, upper],
        "layers": draw_tables(sheet),
        "own": [draw_own(sheet, i) for i in range(len(sheet.own))],
        "city": facts.city_facts(content, lower, upper) | {"bands_differ": bands is not None and bands.differ},
        "online": given.online_map,
        "approval": given.approval_number or "",
        "internal": bool(given.internal),
        "datum": sheet.datum or "WGS 84",
    }
    layers = payload["layers"]
    if "circles" in layers:
        payload["circleColours"] = classes.circle_colours(len({v for v in layers["circles"]["limit"] if v is not None}))
    if bands is not None and bands.differ and "households" in content.tables["grids"]:
        layers["grids"] |= _bands_of_grids(bands)
    if "grids" in layers:
        layers["grids"]["ranks"] = _ranks(sheet, layers["grids"], rates)
    if content.cover is not None:
        payload["coverage"] = _coverage(sheet, rates)
        if "facilities" in layers:
            layers["facilities"] |= served_by_facility(content.cover, layers["facilities"]["id"])
    payload |= sites_payload(sheet)
    found = pack_routes(sheet, wanted=routes)
    if found is not None:
        payload["routes"] = found
        given = given._replace(routes_megabytes=len(str(found)) / 1e6)
    if edit:
        payload["edit"] = edit_payload(sheet)
    said = [word_page(sheet, lang, given, bands, rates) for lang in languages]
    if edit:
        said = [merged(one, {"words": edit_words(lang)}) for one, lang in zip(said, languages, strict=True)]
    payload = merged(payload, said[0])
    for other in said[1:]:
        payload["other"] = difference(other, said[0])
    return payload


def _bands_of_grids(bands: Bands) -> dict[str, Any]:
    return {
        "held": facts.listed(bands.held, 2),
        "lower": facts.listed(bands.lower, 2),
        "upper": facts.listed(np.where(np.isfinite(bands.upper), bands.upper, np.nan), 2),
        "counted": coded(bands.counted),
    }


def _grid_rates(sheet: Sheet) -> facts.Rates | None:
    """Coverage of the grids of a plan."""
    content, grids = sheet.content, sheet.content.tables.get("grids")
    if content.cover is None or content.plan is None or grids is None:
        return None
    return facts.rates_by(content.cover, content.plan, grids["grid_id"].astype(str).tolist(), sheet.categories)


def _ranks(sheet: Sheet, grids: dict[str, Any], rates: facts.Rates | None) -> dict[str, list[Any]]:
    """Place of each grid within its community, by households, density and the mean of its coverage rates."""
    owner = np.asarray(grids["community"])
    columns: dict[str, Any] = {name: grids[name] for name in ("households", "density") if name in grids}
    if rates is not None and len(sheet.measured):
        known = ~np.isnan(rates.rate)
        count = known.sum(axis=1)
        columns["coverage"] = np.divide(
            np.nansum(rates.rate, axis=1), count, out=np.full(len(owner), np.nan), where=count > 0
        )
    return {name: facts.ranks_within(values, owner) for name, values in columns.items()}


def _coverage(sheet: Sheet, rates: facts.Rates | None) -> dict[str, Any]:
    cover, categories, measured = sheet.content.cover, sheet.categories, set(sheet.measured)
    limits = dict(getattr(cover, "thresholds", {}))
    coverage: dict[str, Any] = {
        "measure": str(getattr(cover, "measure", "minutes")),
        "straight": getattr(cover, "how", "network") == "straight",
        "measured": [c in measured for c in categories],
        "limits": [float(limits[c]) if c in limits else None for c in categories],
        "city": facts.rates_by(cover, None, ["all"], categories).columns(),
    }
    grids, communities = sheet.content.tables.get("grids"), sheet.content.tables.get("communities")
    if rates is not None:
        coverage["grids"] = rates.columns()
        if grids is not None and sheet.facilities is not None:
            ids = (grids["grid_id"].astype(str).tolist(), sheet.facilities["facility_id"].astype(str).tolist())
            coverage["grids"] |= facilities_of_units(cover, sheet.content.plan.assignment, *ids, categories)
        if communities is not None and grids is not None:
            owner = rows_of(grids.get("community_id"), communities, "community_id", len(grids))
            names = communities["community_id"].astype(str).tolist()
            coverage["communities"] = rates.summed(owner, len(names), names).columns()
    return coverage


def _band(content: Content, lower: float, upper: float) -> tuple[float, float]:
    parameters = getattr(content.plan, "parameters", None) or {}
    low, high = parameters.get("lower", lower), parameters.get("upper", upper)
    return (_whole(low), _whole(high))


def _whole(value: float) -> float:
    return int(value) if float(value).is_integer() else float(value)


def _bands(content: Content, lower: float, upper: float) -> Bands | None:
    grids = content.tables.get("grids")
    parameters = getattr(content.plan, "parameters", None) or {}
    return None if grids is None else bands_of(grids, lower, upper, str(parameters.get("weight", "households")))


def _settle_statuses(content: Content, bands: Bands | None) -> None:
    if bands is not None and "status" not in content.tables["grids"]:
        content.tables["grids"] = content.tables["grids"].assign(status=classes.status_of(bands))
