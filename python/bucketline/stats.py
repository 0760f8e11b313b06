"""What a loader's figures look like."""

from __future__ import annotations

from typing import Any, NamedTuple


class BadSample(NamedTuple):
    """A sample whose bytes could not be used; `replaced_by` is the URI that stands in its row, "" when masked."""

    epoch: int
    position: int
    uri: str
    reason: str
    replaced_by: str


class Stats(dict[str, Any]):
    """Figures by name; prints as a table. Times are seconds, those of stages summed over threads; sizes are bytes."""

    def __str__(self) -> str:
        width = max(map(len, self))
        return "\n".join(f"{name:<{width}}  {_shown(value)}" for name, value in self.items())

    def _repr_html_(self) -> str:
        rows = "".join(f"<tr><td>{name}</td><td>{_shown(value)}</td></tr>" for name, value in self.items())
        return f"<table>{rows}</table>"


def _shown(value: Any) -> str:
    return f"{value:.3f}" if isinstance(value, float) else f"{value:,}"
