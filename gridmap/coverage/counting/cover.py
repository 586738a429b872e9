"""Cover: which facilities every building reaches, and the rates, gaps and completeness that follow."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from gridmap.coverage.counting.along_network import nearest_along_network
from gridmap.coverage.counting.completeness import complete_cover
from gridmap.coverage.counting.cover_findings import findings_of_cover
from gridmap.coverage.counting.gaps import gaps_of_cover
from gridmap.coverage.counting.rates import rate_cover
from gridmap.coverage.counting.reach import Nearest, reach_table
from gridmap.coverage.counting.rules import cover_by_rules, read_rules
from gridmap.coverage.counting.services import is_counted, rows_by_category
from gridmap.coverage.counting.straight import speed_of, straight_by_category
from gridmap.coverage.counting.thresholds import read_thresholds
from gridmap.errors import OptionError
from gridmap.network.streets import as_network
from gridmap.tables.contracts import check_table
from gridmap.tables.crs import to_crs

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import geopandas as gpd
    import pandas as pd
    from numpy.typing import NDArray

    from gridmap.coverage.counting.rules import Rules
    from gridmap.network.access import Access
    from gridmap.network.repair import Labels
    from gridmap.network.resnap import Places
    from gridmap.network.streets import StreetNetwork

__all__ = ["Cover", "cover"]


@dataclass(frozen=True, repr=False, eq=False)
class Cover:
    """Who reaches what, with everything it was counted from.

    Attributes
    ----------
    nearest
        What was found, as arrays by building, category and rank; see `gridmap.coverage.counting.reach.Nearest`.
    snapped
        Which buildings found a street.
    buildings, facilities
        The tables as given, checked.
    counted
        Which rows of `facilities` were counted: those that exist, are open to the public, and whose category has a
        threshold.
    network
        The prepared streets; None for straight-line distance without streets.
    thresholds, measure
        Limit of each category, and whether it is in ``"minutes"`` or ``"metres"``.
    how, k, profile
        ``"network"`` or ``"straight"``, number of ranks, name of the speed set.
    stated
        The findings of what this was put together from; None where they follow from the rest.
    accesses
        Where buildings and facilities touch the streets; None without streets.
    rules
        Combined rules; None without. The categories are then their criteria, each with a limit in its own measure, and
        `measure` is what distances are told in: the one that all have, else metres.
    """

    nearest: Nearest
    snapped: NDArray[np.bool_]
    buildings: gpd.GeoDataFrame
    facilities: gpd.GeoDataFrame
    counted: NDArray[np.bool_]
    network: StreetNetwork | None
    thresholds: dict[str, float]
    measure: str = "minutes"
    how: str = "network"
    k: int = 1
    profile: str = "adult"
    stated: gpd.GeoDataFrame | None = None
    parameters: dict[str, Any] = field(default_factory=dict)
    accesses: tuple[Access, Access] | None = None
    rules: Rules | None = None

    @cached_property
    def reach(self) -> pd.DataFrame:
        """The reach table: one row a building, category and rank, in this order, none left out.

        ``building_id``, ``category``, ``rank`` (1 is the nearest), ``facility_id``, ``metres``, ``minutes`` (NaN where
        there is no way), ``covered``, ``status`` (``"ok"``, ``"beyond"`` the threshold, ``"unreachable"``,
        ``"unsnapped"``). It is made when first asked for; rates, gaps and maps are counted without it.
        """
        return reach_table(
            self.buildings["building_id"], self.facilities["facility_id"],
            self.nearest, self.thresholds, self.measure if self.rules is None else self.rules.measures, self.snapped,
        )  # fmt: skip

    @cached_property
    def covered(self) -> NDArray[np.bool_]:
        """Whether each building reaches each category, shape (buildings, categories)."""
        measures = self.measure if self.rules is None else self.rules.measures
        return self.nearest.covered(self.thresholds, measures)[:, :, 0]

    @property
    def names(self) -> list[str]:
        """What rates are counted for: the categories, and the combined rules."""
        return [*self.thresholds, *([] if self.rules is None else self.rules.expressions)]

    @cached_property
    def met(self) -> NDArray[np.bool_]:
        """Whether each building reaches each category and meets each rule, shape (buildings, names)."""
        return self.covered if self.rules is None else np.hstack((self.covered, self.rules.met(self.covered)))

    @property
    def distance(self) -> NDArray[np.float64]:
        """How far each building has to each category, in the measure of the cover; NaN where there is no way.

        Shape (buildings, categories), to the nearest facility.
        """
        cost = self.nearest.cost(self.measure)[:, :, 0]
        return np.where(np.isfinite(cost), cost, np.nan)

    def with_thresholds(
        self, *, minutes: float | Mapping[str, float] | None = None, metres: float | Mapping[str, float] | None = None
    ) -> Cover:
        """The same count by other thresholds, without another search.

        Parameters
        ----------
        minutes, metres
            One number or a mapping from category to number, in the measure of this cover; categories of this cover
            only, and those the mapping leaves out are left out.

        Raises
        ------
        OptionError
            When the measure is not that of the cover, or a category is not among its own.
        """
        limits = read_thresholds(minutes, metres)
        if self.rules is not None:
            raise OptionError("a cover by combined rules keeps its limits; call cover again with other rules.")
        if limits.measure != self.measure:
            raise OptionError(f"this cover was searched by {self.measure}; give {self.measure}=, or call cover again.")
        own = list(self.thresholds)
        thresholds = limits.limit if isinstance(limits.limit, dict) else dict.fromkeys(own, limits.limit)
        unknown = [category for category in thresholds if category not in self.thresholds]
        if unknown:
            raise OptionError(f"categories {unknown} are not in this cover ({', '.join(own)}); call cover again.")
        same = list(thresholds) == own
        nearest = self.nearest if same else self.nearest.columns([own.index(category) for category in thresholds])
        counted = self.counted & self.facilities["category"].isin(list(thresholds)).to_numpy()
        parameters = {**self.parameters, "minutes": minutes, "metres": metres}
        return replace(self, nearest=nearest, thresholds=thresholds, counted=counted, parameters=parameters)

    @cached_property
    def findings(self) -> gpd.GeoDataFrame:
        """What a reader of the rates should know; columns as everywhere in gridmap."""
        return findings_of_cover(self) if self.stated is None else self.stated

    @cached_property
    def labels(self) -> list[Labels]:
        """What every node of the network knows of its nearest facility of each category, for `with_changes`."""
        from gridmap.coverage.counting.scenarios import label_cover

        return label_cover(self)

    @cached_property
    def places(self) -> tuple[Places, Places]:
        """Buildings and facilities as they stand on the ground, for `with_changes`."""
        from gridmap.coverage.counting.scenarios import place_tables

        return place_tables(self)

    def with_changes(
        self,
        *,
        add_facilities: gpd.GeoDataFrame | None = None,
        open_facilities: Iterable[object] | None = None,
        close_facilities: Iterable[object] | None = None,
        add_streets: gpd.GeoDataFrame | None = None,
        close_streets: Iterable[object] | None = None,
        open_gates: Any = None,
        profile: Any = None,
    ) -> Cover:
        """The cover as it would be after a change; this one stays as it is. See `gridmap.compare`.

        Only what the change reaches is counted anew: the search is put right where it passes by, and the buildings
        there are joined again. The first change of a cover prepares this, further ones are quick.

        Parameters
        ----------
        add_facilities
            A facilities table with ids of its own.
        open_facilities
            Ids of facilities that are in the table but not counted: planned ones and candidates become existing, those
            of institutions (`public` false) open to the public.
        close_facilities
            Ids of facilities to take away. Their category stays, though nobody may offer it then.
        add_streets, close_streets, open_gates
            New lanes and footbridges, streets to close, walls to open; see `StreetNetwork.with_changes`.
        profile
            Other speeds of the same mode, such as ``"elderly"``; everything is counted anew then.

        Raises
        ------
        TableError
            When a table breaks its contract.
        OptionError
            When an id is unknown, or streets change of a cover without streets.

        Examples
        --------
        >>> import geopandas as gpd
        >>> from shapely import Point
        >>> homes = gpd.GeoDataFrame(
        ...     {"building_id": ["a", "b"], "households": [30, 10]}, geometry=[Point(0, 0), Point(900, 0)], crs=32650
        ... )
        >>> clinics = gpd.GeoDataFrame(
        ...     {"facility_id": ["f", "g"], "category": "clinic", "status": ["existing", "planned"]},
        ...     geometry=[Point(300, 400), Point(900, 9)], crs=32650,
        ... )
        >>> today = cover(homes, clinics, metres=500, how="straight")
        >>> today.with_changes(open_facilities=["g"]).rate()["rate"].tolist()
        [1.0]
        """
        from gridmap.coverage.counting.scenarios import change_cover

        return change_cover(
            self, add_facilities=add_facilities, open_facilities=open_facilities, close_facilities=close_facilities,
            add_streets=add_streets, close_streets=close_streets, open_gates=open_gates, profile=profile,
        )  # fmt: skip

    def rate(self, by: Any = None, weight: str = "households") -> pd.DataFrame:
        """Coverage rate of each unit and category: the share of a count that is within the threshold.

        Parameters
        ----------
        by
            None (one unit, ``"all"``); a plan (its grids; split buildings share their count as their units do); the
            name of a column of buildings; a Series indexed by building_id; or a GeoDataFrame of polygons (a building
            belongs to the polygon that holds its point on surface, the first id where several do).
        weight
            The column of buildings to count: households, residents, elderly, ...; empty cells count as 0. Or
            ``"area"``: the land of the units (a plan or polygons), whoever lives there, in m², without hard barriers.

        Returns
        -------
        DataFrame
            One row a unit and category, none left out: ``unit_id``, ``category``, ``total``, ``covered``, ``rate``
            (0 where nobody is covered, NaN only where the total is 0), ``facilities`` (how many of that category
            stand in the unit; empty where units have no place) and ``institutional``, whether there is one:
            institutional coverage, apart from the rate.
            ``.attrs`` names the ``denominator``, what lies ``outside`` all units, and ``rows_without_count``.

        Raises
        ------
        OptionError
            When `by` or `weight` names nothing that buildings have.
        """
        return rate_cover(self, by, weight)

    def gaps(self, by: Any = None, weight: str = "households", *, reach_metres: float = 60.0) -> gpd.GeoDataFrame:
        """Blind spots: where people live who do not reach a category, as areas, the most households first.

        Buildings that are not covered belong to one spot when a chain of steps of at most twice `reach_metres` joins
        them, within one unit. Buildings without households make no spot.

        Parameters
        ----------
        by, weight
            As in `rate`; spots never span two units.
        reach_metres
            The area of a spot is the land this near to its buildings.

        Returns
        -------
        GeoDataFrame
            ``rank``, ``category``, ``unit_id``, the weight not covered, ``buildings``, then the median and the
            greatest distance to the nearest facility, in the measure of the cover (NaN where there is no way), and
            the area, in the CRS of the buildings.
        """
        return gaps_of_cover(self, by, weight, reach_metres=reach_metres)

    def completeness(self, by: Any = None, weight: str = "households") -> pd.DataFrame:
        """How many of the n categories are reached, by building or by unit.

        Parameters
        ----------
        by
            None for one row a building; else units as in `rate`.
        weight
            The column of buildings to count.

        Returns
        -------
        DataFrame
            By building: ``building_id``, the weight, ``reached``, ``categories``, ``share``. By unit: ``unit_id``,
            ``total``, ``categories``, ``mean`` (categories reached, weighted), ``all`` and ``all_rate`` (who reaches
            every one), and ``reach_0`` to ``reach_n`` (who reaches exactly so many).
        """
        return complete_cover(self, by, weight)

    def compliance(
        self,
        standard: Any,
        by: Any = None,
        *,
        share: float = 1.0,
        weight: str = "households",
        states: Iterable[str] | None = None,
        persons_per_household: float | None = None,
        areas: str | Mapping[str, str] | pd.Series | None = None,
        categories: Mapping[str, str | Iterable[str]] | None = None,
    ) -> pd.DataFrame:
        """Whether units have what a standard asks for: one row a unit and requirement, none left out.

        Each requirement is judged by its own facilities, measure and limit, whatever this cover was counted by; the
        streets, or the straight line, are those of the cover. Tiers do not stand in for one another: a facility of the
        15-minute tier does not satisfy the 5-minute tier. A facility without a tier counts where a single tier asks for
        its category. What stands in a unit is asked of units with the people of the tier, and then that of all lower
        tiers as well; distances are asked of everybody.

        Parameters
        ----------
        standard
            What `gridmap.read_standard` takes: ``"GB 50180-2018"``, a path, a table, or several of these.
        by
            Units as in `rate`. What stands in a unit is only told of units with a place: polygons, a plan, one unit.
        share
            Which share of a unit's households must be within reach for a distance to count as met. No national standard
            found allows less than all of them, so that is the default; Shanghai aims at 0.85 by 2025 and 0.99 by 2035.
        weight
            The column of buildings that this is a share of.
        states
            Only requirements verified so well: of ``"text"``, ``"secondary"``, ``"conflict"``, ``"unverified"``.
        persons_per_household
            What makes residents of households where buildings have none; by default nothing does.
        areas
            What all units are, ``"new"`` or ``"built"``, or each by its id, for requirements that hold in one of them.
        categories
            Categories of the facilities that serve one of the standard: ``{"primary_school": "school"}``.

        Returns
        -------
        DataFrame
            ``unit_id``, ``requirement_id``, ``standard``, ``category``, ``tier``, ``rule``, ``limit`` with its
            ``unit``, ``per`` and ``applies_to``; ``needed`` and ``present`` (households of a distance, else facilities,
            classes, metres or m²; what counts for certain), ``reachable`` (the share within reach) and the ``share``
            aimed at, ``area_short_m2``, ``places_short`` (facilities or classes), ``status``, ``verification``,
            ``clause``, ``source``. Status: ``met``, ``partly`` (some of what is needed), ``not_met`` (none of it),
            ``no_data`` (it hangs on something that is not known, see the findings), ``does_not_apply`` (nobody lives
            there, or not so many, or it is another kind of area). ``.attrs`` has the ``findings``, the ``summary`` by
            requirement, the ``share`` and the ``denominator``.

        Raises
        ------
        OptionError
            When an argument cannot be, or the standard has no requirement of facilities in these states.
        ReadError, TableError
            As `gridmap.read_standard` raises them.

        Examples
        --------
        >>> import geopandas as gpd
        >>> from shapely import Point
        >>> homes = gpd.GeoDataFrame(
        ...     {"building_id": ["a", "b"], "households": [30, 10]}, geometry=[Point(0, 0), Point(900, 0)], crs=32650
        ... )
        >>> schools = gpd.GeoDataFrame(
        ...     {"facility_id": ["f"], "category": ["primary_school"]}, geometry=[Point(300, 0)], crs=32650
        ... )
        >>> reach = cover(homes, schools, minutes=15, how="straight")
        >>> table = reach.compliance("GB 50180-2018", states=["secondary"]).set_index("requirement_id")
        >>> table.loc["gb50180-primary-school-reach", ["reachable", "status"]].tolist()
        [0.75, 'partly']
        """
        from gridmap.coverage.compliance.compliance import check_compliance

        return check_compliance(
            self, standard, by, share=share, weight=weight, states=states, areas=areas, categories=categories,
            persons_per_household=persons_per_household,
        )  # fmt: skip

    def __repr__(self) -> str:
        households = self.buildings["households"].sum()
        return (
            f"<Cover: {len(self.buildings):,} buildings, {households:,.0f} households, "
            f"{len(self.thresholds)} categories, {int(self.counted.sum()):,} facilities, {self._limits()}>"
        )

    def _limit_text(self, name: str) -> str:
        """The limit of a category, of which a rule has none of its own."""
        limit = self.thresholds.get(name)
        return "" if limit is None else f"{limit:g}"

    def _limits(self) -> str:
        if self.rules is not None:
            return f"{len(self.rules.expressions)} rules"
        unit = "min" if self.measure == "minutes" else "m"
        limits = sorted(set(self.thresholds.values()))
        span = f"{limits[0]:g}" if len(limits) == 1 else f"{limits[0]:g}-{limits[-1]:g}" if limits else "0"
        return f"{span} {unit} {'in a straight line' if self.how == 'straight' else 'along streets'}"

    def plot(self, category: str | None = None, *, ax: Any = None) -> Any:
        """A figure of who reaches a category, for papers and slides, drawn by matplotlib.

        Parameters
        ----------
        category
            A category or a rule of this cover; by default what share of all of them each building reaches.
        ax
            Axes to draw on; new ones by default.

        Returns
        -------
        matplotlib.axes.Axes
            With legend and scale bar.

        Raises
        ------
        OptionError
            When the category is not in the cover, or matplotlib is not installed.
        """
        from gridmap.view.figures import plot_reach

        if category is None:
            return plot_reach(self.buildings, self._share_reached(), title="Categories within reach", ax=ax)
        if category not in self.names:
            raise OptionError(f"{category!r} is not in this cover; there are {', '.join(self.names)}.")
        places = self.facilities[self.counted & (self.facilities["category"] == category).to_numpy()]
        limit = self._limit_text(category)
        title = f"{category}, {limit} {self._unit()}" if limit else category
        reached = self.met[:, self.names.index(category)].astype(float)
        return plot_reach(self.buildings, reached, places, title=title, ax=ax)

    def _share_reached(self) -> NDArray[np.float64]:
        return self.met.mean(axis=1) if self.names else np.ones(len(self.buildings))

    def _unit(self) -> str:
        return "min" if self.measure == "minutes" else "m"

    def _repr_html_(self) -> str:
        """Rates and a small picture; the map is `gridmap.explore`'s."""
        from gridmap.view.summaries import cover_html

        rates = self.rate()
        limits = [self._limit_text(str(name)) for name in rates["category"]]
        limits = [f"{limit} {self._unit()}" if limit else "" for limit in limits]
        denominator = rates.attrs["denominator"]
        about = f"{repr(self)[1:-1]}; rates are shares of {denominator}; {len(self.findings)} findings"
        return cover_html(rates, limits, self.buildings, self._share_reached(), about)


def cover(
    buildings: gpd.GeoDataFrame,
    facilities: gpd.GeoDataFrame,
    streets: gpd.GeoDataFrame | StreetNetwork | None = None,
    *,
    minutes: float | Mapping[str, float] | None = None,
    metres: float | Mapping[str, float] | None = None,
    rules: Mapping[str, Any] | None = None,
    how: str = "network",
    k: int = 1,
    profile: Any = None,
    executor: Any = None,
    barriers: gpd.GeoDataFrame | None = None,
    compounds: gpd.GeoDataFrame | None = None,
    entrances: gpd.GeoDataFrame | None = None,
) -> Cover:
    """Count who reaches which category of facility, household by household.

    The distance is the least, over all streets near both ends, of the leg to the street plus the way along the
    streets plus the leg from it (both ends on edges, not on nodes). The search minimises the measure asked for, time
    or length; the other is measured along that same path. Nothing is read off a drawn circle.

    Parameters
    ----------
    buildings
        Needs ``households``; `estimate_households` makes them.
    facilities
        Those whose ``status`` is planned or candidate, or whose ``public`` is false (an institution's own), are left
        out, and counted in the findings.
    streets
        Streets, or a `StreetNetwork` prepared from them; not needed for ``how="straight"``.
    minutes, metres
        Threshold, one number or a mapping from category to number; at most one of the two, none means 15 minutes.
        A category of the mapping that nobody offers is unreachable; a category without a threshold is not counted.
    rules
        Combined rules in place of these, by name: ``{"daily": {"all": [{"category": "clinic", "minutes": 15},
        {"category": "canteen", "minutes": 10}]}}``; also ``any`` and ``at_least``, and ``metres`` or ``radius`` in
        place of minutes; see `gridmap.coverage.rules.read_rules`. The reach table then has the categories named, each
        with its own limit; rates, gaps and completeness have the rules as well.
    how
        ``"network"``, or ``"straight"`` for a radius as the crow flies (minutes then at the profile's speed).
    k
        How many facilities of each category to list for each building.
    profile
        Named speed set; None means that of the prepared network, else ``"adult"``.
    executor
        Anything with a `map`, such as a `concurrent.futures` pool: one task a category. The result is the same.
    barriers, compounds, entrances
        For streets that are not prepared yet; see `StreetNetwork.from_streets`.

    Raises
    ------
    TableError
        When a table breaks its contract; the message lists every row and the remedy.
    OptionError
        When arguments contradict each other.

    Examples
    --------
    >>> import geopandas as gpd
    >>> from shapely import Point
    >>> homes = gpd.GeoDataFrame(
    ...     {"building_id": ["a", "b"], "households": [30, 10]}, geometry=[Point(0, 0), Point(900, 0)], crs=32650
    ... )
    >>> clinics = gpd.GeoDataFrame(
    ...     {"facility_id": ["f"], "category": ["clinic"]}, geometry=[Point(300, 400)], crs=32650
    ... )
    >>> cover(homes, clinics, metres=500, how="straight").rate()[["category", "total", "covered", "rate"]]
      category  total  covered  rate
    0   clinic   40.0     30.0  0.75
    """
    limits = read_thresholds(minutes, metres, rules)
    if how not in ("network", "straight"):
        raise OptionError(f"how must be 'network' or 'straight', not {how!r}.")
    if isinstance(k, bool) or not isinstance(k, int | np.integer) or k < 1:
        raise OptionError(f"k must be a whole number of at least 1, not {k!r}.")
    if streets is None and how == "network" and rules is None:
        raise OptionError("cover needs streets to measure along; give them, or how='straight' for a radius.")
    homes = check_table(buildings, "buildings", needs=("households",))
    services = check_table(facilities, "facilities")
    if rules is not None:
        ground = None
        if streets is not None:
            ground = as_network(streets, profile, barriers=barriers, compounds=compounds, entrances=entrances)
        count = partial(cover, homes, services, ground, k=k, profile=profile, executor=executor)
        whole = cover_by_rules(count, services, read_rules(rules), straight=how == "straight")
        return replace(whole, how=how, parameters={"rules": rules, "how": how, "k": int(k), "profile": profile})
    counts = is_counted(services)
    thresholds = limits.by_category(services.loc[counts, "category"].unique())
    counted = counts & services["category"].isin(list(thresholds)).to_numpy()
    network = None
    if streets is not None:
        network = as_network(streets, profile, barriers=barriers, compounds=compounds, entrances=entrances)
    rows = rows_by_category(services, counted, list(thresholds))
    snapped = np.ones(len(homes), dtype=bool)
    accesses = None
    if how == "straight" or network is None:
        nearest = straight_by_category(homes, services, rows, int(k), speed_of(network, profile).kmh)
    else:
        here = to_crs(homes, network.crs), to_crs(services, network.crs)
        found = nearest_along_network(network, *here, rows, measure=limits.measure, k=int(k), executor=executor)
        nearest, accesses = found.nearest, (found.buildings, found.facilities)
        snapped = accesses[0].status != "unsnapped"
    return Cover(
        nearest=nearest,
        snapped=snapped,
        buildings=homes,
        facilities=services,
        counted=counted,
        network=network,
        thresholds=thresholds,
        measure=limits.measure,
        how=how,
        k=int(k),
        profile=speed_of(network, profile).name,
        parameters={"minutes": minutes, "metres": metres, "rules": rules, "how": how, "k": int(k), "profile": profile},
        accesses=accesses,
    )
