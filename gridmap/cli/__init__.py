"""The command line: `gridmap demo | check | divide | cover | locate | map | report | atlas | run`.

Shells over the library. `options` are what commands take, `screen` what they show; `project` holds those that run a
whole project, `tables` those that work on single files.
"""

from gridmap.cli import project, tables
from gridmap.cli.app import app, main

__all__ = ["app", "main", "project", "tables"]
