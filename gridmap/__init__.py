"""gridmap: cut communities into grids of 300-500 households, measure service circles, hand over an offline map."""

from gridmap._version import __version__
from gridmap.coverage.access.accessibility import accessibility
from gridmap.coverage.access.inequality import inequality, location_quotient, lorenz
from gridmap.coverage.access.provision import provision
from gridmap.coverage.access.within_reach import within_reach
from gridmap.coverage.circles.circles import service_circles
from gridmap.coverage.counting.compare import compare
from gridmap.coverage.counting.cover import Cover, cover
from gridmap.coverage.counting.unit_means import mean_by_unit
from gridmap.coverage.greenways.connectors import missing_connectors
from gridmap.coverage.greenways.greenways import greenways
from gridmap.coverage.permeability.missing_links import missing_links
from gridmap.coverage.permeability.permeability import permeability
from gridmap.division.divide import divide
from gridmap.division.plans.plan import GridPlan
from gridmap.division.search.partition import partition
from gridmap.errors import EditError, GridmapError, OptionError, ReadError, TableError, WriteError
from gridmap.io.datums.propose import propose_crs
from gridmap.io.project import Project, read_project, write_project
from gridmap.io.provenance import compare_runs, provenance
from gridmap.io.read.building_counts import read_counts
from gridmap.io.read.rasters import read_raster
from gridmap.io.read.readers import (
    read_barriers,
    read_buildings,
    read_communities,
    read_compounds,
    read_entrances,
    read_facilities,
    read_streets,
)
from gridmap.io.write.tables import write_table
from gridmap.maps.explore import explore
from gridmap.maps.report.atlas import atlas
from gridmap.maps.report.report import report
from gridmap.network.streets import StreetNetwork
from gridmap.siting.capacity.catchments import catchments
from gridmap.siting.capacity.need import capacity_need
from gridmap.siting.communities.mismatch import mismatch
from gridmap.siting.communities.oversized import oversized_communities, propose_communities
from gridmap.siting.sites.locate import locate
from gridmap.siting.sites.site_plan import SitePlan
from gridmap.standards.read import list_standards, read_standard
from gridmap.tables.bounds.community_from_bounds import community_from_bounds
from gridmap.tables.bounds.sides import bounds_from_text
from gridmap.tables.check.audit import check
from gridmap.tables.counts.attach_counts import attach_counts
from gridmap.tables.households.error import household_error
from gridmap.tables.households.estimate import estimate_households
from gridmap.tables.levels import dissolve_communities
from gridmap.tables.repair.log import undo_repair
from gridmap.tables.repair.repair import repair
from gridmap.view.compliance_table import compliance_table

__all__ = [
    "Cover",
    "EditError",
    "GridPlan",
    "GridmapError",
    "OptionError",
    "Project",
    "ReadError",
    "SitePlan",
    "StreetNetwork",
    "TableError",
    "WriteError",
    "__version__",
    "accessibility",
    "atlas",
    "attach_counts",
    "bounds_from_text",
    "capacity_need",
    "catchments",
    "check",
    "community_from_bounds",
    "compare",
    "compare_runs",
    "compliance_table",
    "cover",
    "dissolve_communities",
    "divide",
    "estimate_households",
    "explore",
    "greenways",
    "household_error",
    "inequality",
    "list_standards",
    "locate",
    "location_quotient",
    "lorenz",
    "mean_by_unit",
    "mismatch",
    "missing_connectors",
    "missing_links",
    "oversized_communities",
    "partition",
    "permeability",
    "propose_communities",
    "propose_crs",
    "provenance",
    "provision",
    "read_barriers",
    "read_buildings",
    "read_communities",
    "read_compounds",
    "read_counts",
    "read_entrances",
    "read_facilities",
    "read_project",
    "read_raster",
    "read_standard",
    "read_streets",
    "repair",
    "report",
    "service_circles",
    "undo_repair",
    "within_reach",
    "write_project",
    "write_table",
]
