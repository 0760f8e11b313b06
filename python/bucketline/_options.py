"""Checks and conversions of what users pass, with errors that name the option."""

from __future__ import annotations

import difflib
import numbers
import os
from collections.abc import Collection, Mapping
from typing import Any, TypeVar

import bucketline._core as _core
from bucketline.errors import InvalidArgumentError

E = TypeVar("E")


def byte_size(value: int | str, option: str) -> int:
    """Bytes of 1073741824, "1GiB", "200MB" (decimal)."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    try:
        if isinstance(value, str):
            return _core.parse_byte_size(value.strip())
    except InvalidArgumentError:
        pass  # what follows names the option
    raise InvalidArgumentError(f"{option} must be a number of bytes or a text such as '1GiB', not {value!r}")


def cache_place(folder: Any, size: int | str | None, pixels: bool) -> tuple[str, int, bool]:
    """The folder of a cache, "" for none, its bytes, 0 for as many as it was given before, and whether it keeps pixels."""
    flag(pixels, "cache_pixels")
    if folder is None:
        if size is not None or pixels:
            given = "cache_pixels" if size is None else "cache_size"
            raise InvalidArgumentError(f"{given} is of a cache: give its folder as cache")
        return "", 0, False
    path = os.fspath(folder) if isinstance(folder, (str, os.PathLike)) else None
    if not isinstance(path, str) or not path:
        raise InvalidArgumentError(f"cache must be a folder on a local disk or None, not {folder!r}")
    return path, 0 if size is None else byte_size(size, "cache_size"), pixels


def choice(value: Any, option: str, choices: Mapping[str, E]) -> E:
    """The value of one of a few words."""
    if not isinstance(value, str) or value not in choices:
        words = " | ".join(repr(word) for word in choices)
        raise InvalidArgumentError(
            f"{option} must be one of {words}, not {value!r}{_did_you_mean(value, choices)}"
        )
    return choices[value]


def text(value: Any, option: str) -> str:
    """A text; "" for None."""
    if not (value is None or isinstance(value, str)):
        raise InvalidArgumentError(f"{option} must be a text or None, not {value!r}")
    return value or ""


def reject_unknown(given: Mapping[str, Any], known: Collection[str], where: str) -> None:
    """Raises TypeError for keywords that `where` does not take, naming the nearest that it does."""
    for name in given:
        if name not in known:
            raise TypeError(
                f"{where} got an unexpected keyword argument {name!r}{_did_you_mean(name, known)}"
            )


def number(value: Any, option: str, low: float, high: float = float("inf"), whole: bool = False) -> Any:
    """A number in [low, high]."""
    kinds = numbers.Integral if whole else numbers.Real
    kind = "whole number" if whole else "number"
    if isinstance(value, bool) or not (isinstance(value, kinds) or hasattr(value, "__index__")):
        raise InvalidArgumentError(f"{option} must be a {kind}, not {value!r}")
    if not low <= value <= high:
        limits = f"at least {low:g}" if high == float("inf") else f"from {low:g} to {high:g}"
        raise InvalidArgumentError(f"{option} must be {limits}, not {value!r}")
    return float(value) if isinstance(value, numbers.Real) and not whole else int(value)


def flag(value: Any, option: str) -> bool:
    """True or False, and nothing that only counts as one."""
    if not isinstance(value, bool):
        raise InvalidArgumentError(f"{option} must be True or False, not {value!r}")
    return value


def _did_you_mean(value: Any, known: Collection[str]) -> str:
    near = difflib.get_close_matches(value, known, n=1) if isinstance(value, str) else []
    return f"; did you mean {near[0]!r}?" if near else ""
