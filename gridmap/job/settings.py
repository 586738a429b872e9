"""Settings: a project's options, checked and parted by the function that takes them."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gridmap.coverage.counting.cover import Cover, cover
from gridmap.division.divide import divide
from gridmap.division.plans.plan import GridPlan
from gridmap.errors import OptionError
from gridmap.siting.sites.locate import locate
from gridmap.standards.section import read_section

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from gridmap.io.project import Project
    from gridmap.standards.section import Section

__all__ = ["Settings", "read_settings"]

# What a run itself gives to `locate`.
_GIVEN = ("existing", "barriers", "compounds", "entrances", "executor")


@dataclass(frozen=True)
class Settings:
    """Options by the function that takes them; those of the cover are parted into network, cover and circles."""

    divide: dict[str, Any]
    network: dict[str, Any]
    cover: dict[str, Any]
    circles: dict[str, Any]
    compliance: Section | None
    locate: dict[str, Any]
    outputs: dict[str, Any]


def read_settings(project: Project, options: Mapping[str, Mapping[str, Any]]) -> Settings:
    """The options of a project, overruled by those given.

    Raises
    ------
    OptionError
        When an option is unknown, or cannot be.
    """
    sections = ("divide", "cover", "compliance", "locate", "outputs")
    divided, covered, complied, sited, outputs = (
        {**getattr(project, name), **options.get(name, {})} for name in sections
    )
    _refuse_unknown(divided, divide, "divide")
    here = Path() if project.path is None else project.path.parent
    compliance = read_section(complied, here)
    if compliance is not None:
        _refuse_unknown(compliance.options, Cover.compliance, "compliance")
    if isinstance(divided.get("previous"), str):
        divided["previous"] = GridPlan.load(here / divided["previous"])
    _refuse_unknown(sited, locate, "locate", but=_GIVEN)
    network, covered, circles = _cover_options(covered)
    return Settings(divided, network, covered, circles, compliance, sited, outputs)


def _refuse_unknown(
    options: Mapping[str, Any], function: Callable[..., Any], section: str, but: Collection[str] = ()
) -> None:
    parameters = inspect.signature(function).parameters.values()
    known = [p.name for p in parameters if p.kind is p.KEYWORD_ONLY and p.name not in but]
    unknown = sorted(set(options) - set(known))
    if unknown:
        raise OptionError(f"[{section}] has unknown options {', '.join(unknown)}; known are {', '.join(known)}")


def _cover_options(options: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """The `[cover]` section parted into options of the network, of `cover` and of `service_circles`."""
    rest = dict(options)
    network: dict[str, Any] = {name: rest.pop(name) for name in ("mode", "profile", "access_metres") if name in rest}
    circles = {"minutes": rest.pop("circles")} if "circles" in rest else {}
    if not circles:
        circles = {name: rest[name] for name in ("minutes", "metres") if name in rest}
    _refuse_unknown(rest, cover, "cover")
    return network, rest, circles
