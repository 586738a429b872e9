"""How kernels are compiled: ahead of nothing, cached on disk where a disk can be written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast

import numba

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["compiled"]

F = TypeVar("F", bound="Callable[..., Any]")


def compiled(function: F) -> F:
    """Compile a kernel with numba, without the interpreter lock and cached between runs.

    numba keeps its cache beside the source, or in the user's cache folder when the installation is read-only; where
    neither can be written it raises, and the kernel is then compiled anew in each process.

    Only files that hold kernels import this module, and those are imported inside the functions that call them, so
    that ``import gridmap`` does not load numba.
    """
    try:
        return cast("F", numba.njit(cache=True, nogil=True, error_model="numpy")(function))
    except RuntimeError:
        return cast("F", numba.njit(nogil=True, error_model="numpy")(function))
