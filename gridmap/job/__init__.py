"""The main job: a project in; grids, coverage, answers, a map, a workbook and a GeoPackage out.

`settings` reads what the project asks for, `inputs` makes its tables whole, `run` puts the stages in order.
"""

from gridmap.job.inputs import community_around, complete_households, left_out
from gridmap.job.run import JobResult, peak_megabytes, run_project

__all__ = ["JobResult", "community_around", "complete_households", "left_out", "peak_megabytes", "run_project"]
