"""Explore: any number of results and tables as one interactive map in one file."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from gridmap.errors import OptionError
from gridmap.maps.classes import SCHEMES
from gridmap.maps.words import languages_of

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    from gridmap.maps.page import ExploreMap

__all__ = ["explore"]


def explore(
    *layers: Any,
    lang: str | Sequence[str] = "en",
    basemap: Any = None,
    title: str | Mapping[str, str] | None = None,
    date: str | None = None,
    notes: Sequence[str | Mapping[str, str]] = (),
    attribution: str | Mapping[str, str] | None = None,
    lower: float = 300,
    upper: float = 500,
    routes: bool | None = None,
    edit: bool = False,
    swipe: bool | Sequence[str | Mapping[str, str]] = False,
    scheme: str = "Quantiles",
    approval_number: str | None = None,
    internal: bool = False,
    datum: str = "WGS 84",
    online: bool = False,
    assets: Mapping[str, str | os.PathLike[str]] | None = None,
) -> ExploreMap:
    """Draw results and tables on a map that one file holds and that needs no network.

    Parameters
    ----------
    *layers
        In any number and order, told by their type and columns: a `GridPlan`, a `Cover`, a `SitePlan`, what
        `Cover.compliance` returns (grids are coloured by the share of requirements that they or their communities meet,
        and a click tells what is not met), a `Route`, service circles, the blind spots of `Cover.gaps`, any of the
        tables communities, buildings, compounds, entrances, streets, barriers, facilities, grids and findings, any
        other GeoDataFrame, or ``("name", GeoDataFrame)``. A plan and a cover bring the tables they were made from; a
        table given by itself goes before theirs. A table's ``attrs["layer"]`` names what it is where its columns do not
        tell.
    lang
        Language of the page: ``"en"``, ``"zh"``, or both with a switch between them: ``("en", "zh")``, which opens in
        English, or ``"both"``, which opens in Chinese. Of a page in two languages `title`, `notes`, `attribution` and
        the name of a layer may be given in each: ``{"en": "Present grids", "zh": "现有网格"}``.
    basemap
        None (the data's own streets, water and buildings are the ground), or a tile address, a name that folium
        knows, or a `folium.TileLayer`: then the page loads tiles from the network and says so.
    title, date
        Title, and date of the map; by default what is shown, and today. Give the date for a page that is the same
        bytes again.
    notes
        Sentences to show under "About this map".
    attribution
        Where the data comes from; by default what the tables say in ``attrs["attribution"]``.
    lower, upper
        The band of households a grid, for grids that come without a plan.
    routes
        Whether a click on a building shows the ways to its nearest facilities, which makes the page larger (it says by
        how much). None means yes, unless nodes times categories are more than six million, some 3 MB. Needs a cover
        that was counted along streets.
    edit
        Whether the grids of the plan can be negotiated on the page: pieces given to the neighbouring grid, grids
        merged and split, with all counts at hand. It saves ``edits.json`` for `GridPlan.apply`, and takes about as
        much room again as the buildings.
    swipe
        Whether two states lie side by side, with a divider to drag between them and the table of who gained. Of two
        plans, covers, circles or gaps the first is before and the second after; all else is on both sides. Two texts
        are the names of the sides, ``("Today", "Proposal")``.
    scheme
        How the numbers of further columns of the grids are classed, by which they can be coloured as well: a classifier
        of mapclassify, one of ``"Quantiles"``, ``"EqualInterval"``, ``"FisherJenks"``, ``"NaturalBreaks"``,
        ``"BoxPlot"``, ``"HeadTailBreaks"``, ``"StdMean"``.
    approval_number
        The map approval number (审图号), for the title block of the page and of the printed sheet.
    internal
        Whether page and print are marked as internal (内部资料).
    datum
        ``"GCJ-02"`` or ``"BD-09"`` moves all that is drawn to lie over tiles of that datum, which the page states;
        figures stay those of the tables. Children added to the map by hand are not moved.
    online
        Whether folium children added by the user may load scripts and images from the network.
    assets
        Address of a script or style sheet that such a child asks for, and the installed file to put in its place.

    Returns
    -------
    folium.Map
        With everything in it; `save` writes the file, and a notebook shows it.

    Raises
    ------
    OptionError
        When a layer is not one, the language is unknown, the base map is none, or there is no plan to `edit`. `save`
        raises it for a child that would load something from elsewhere.
    TableError
        When a table has no CRS.

    Notes
    -----
    Coordinates are rounded to 0.1 m and outlines simplified by at most 1 m for display only, which the page states.
    All numbers come from the tables. Who is responsible for a grid is not in the page.

    Examples
    --------
    >>> import geopandas as gpd
    >>> from shapely import box
    >>> grids = gpd.GeoDataFrame({"grid_id": ["001"], "households": [412]}, geometry=[box(0, 0, 200, 200)], crs=32650)
    >>> page = explore(grids, title="One grid", date="2025-06-01").get_root().render()
    >>> "http-equiv" in page, "412" in page
    (True, True)
    """
    languages = languages_of(lang)
    if scheme not in SCHEMES:
        raise OptionError(f"scheme={scheme!r} does not class numbers; use one of {', '.join(SCHEMES)}")
    from gridmap.maps.layers import recognise, sort_layers
    from gridmap.maps.page import ExploreMap
    from gridmap.maps.payload import build_payload
    from gridmap.maps.sheet import Sheet
    from gridmap.maps.swipe_data import two_sides, with_before
    from gridmap.maps.wording import Given

    given = Given(title, notes, attribution, basemap is not None, approval_number, internal, scheme)
    build = partial(build_payload, given=given, languages=languages, date=date, lower=lower, upper=upper)
    earlier: Sequence[Any] = ()
    if swipe:
        if edit:
            raise OptionError(
                "edit=True and swipe=True do not go together: negotiate first, then compare the two plans"
            )
        if any(not isinstance(layer, tuple) and recognise(layer) == "compliance" for layer in layers):
            raise OptionError("compliance is of one state: leave it out of a page of two, or give it a page of its own")
        earlier, layers = map(tuple, two_sides(layers))
    sheet = Sheet(sort_layers(layers), datum)
    payload = build(sheet, routes=routes, edit=edit)
    if swipe:
        names = () if swipe is True else swipe
        other = Sheet(sort_layers(earlier), datum, beside=sheet)
        before = build(other, routes=False)
        payload = with_before(payload, before, other.content, sheet.content, names=names, languages=languages)
    return ExploreMap(payload, basemap=basemap, online=online, assets=assets)
