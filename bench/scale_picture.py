"""The curves of cost against size as an SVG picture, both axes logarithmic."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

WIDTH, HEIGHT = 720, 420
LEFT, RIGHT, TOP, BOTTOM = 70, 180, 30, 50
COLOURS = ("#0b6e99", "#b8430c", "#3b7d23", "#7a3fa0", "#555555")


@dataclass
class Curve:
    name: str
    points: list[tuple[int, float]] = field(default_factory=list)  # size and seconds

    def add(self, size: int, seconds: float) -> None:
        self.points.append((size, seconds))


def picture(curves: list[Curve]) -> str:
    sizes = [size for curve in curves for size, _ in curve.points]
    seconds = [value for curve in curves for _, value in curve.points]
    first, last = math.log10(min(sizes)), math.log10(max(sizes))
    low, high = math.floor(math.log10(min(seconds))), math.ceil(math.log10(max(seconds)))

    def x(size: float) -> float:
        return LEFT + (math.log10(size) - first) / (last - first) * (WIDTH - LEFT - RIGHT)

    def y(value: float) -> float:
        return HEIGHT - BOTTOM - (math.log10(value) - low) / (high - low) * (HEIGHT - TOP - BOTTOM)

    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
    ]
    for power in range(low, high + 1):
        at = y(10.0**power)
        out.append(f'<line x1="{LEFT}" y1="{at:.1f}" x2="{WIDTH - RIGHT}" y2="{at:.1f}" stroke="#dddddd"/>')
        out.append(f'<text x="{LEFT - 8}" y="{at + 4:.1f}" text-anchor="end">{time_text(power)}</text>')
    for power in range(round(first), round(last) + 1):
        at = x(10.0**power)
        out.append(f'<line x1="{at:.1f}" y1="{TOP}" x2="{at:.1f}" y2="{HEIGHT - BOTTOM}" stroke="#eeeeee"/>')
        out.append(f'<text x="{at:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{10**power:,}</text>')
    out.append(
        f'<text x="{(LEFT + WIDTH - RIGHT) / 2:.0f}" y="{HEIGHT - 10}" text-anchor="middle">objects</text>'
    )
    labels: list[float] = []
    for curve, colour in zip(curves, COLOURS, strict=False):
        path = " ".join(f"{x(size):.1f},{y(value):.1f}" for size, value in curve.points)
        out.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        out += [
            f'<circle cx="{x(size):.1f}" cy="{y(value):.1f}" r="3" fill="{colour}"/>'
            for size, value in curve.points
        ]
        size, value = curve.points[-1]
        at = y(value) + 4
        while any(abs(at - other) < 14 for other in labels):
            at += 14
        labels.append(at)
        out.append(f'<text x="{x(size) + 10:.1f}" y="{at:.1f}" fill="{colour}">{curve.name}</text>')
    out.append("</svg>")
    return "\n".join(out) + "\n"


def time_text(power: int) -> str:
    """Ten to this power, in seconds."""
    if power >= 0:
        return f"{10**power} s"
    if power >= -3:
        return f"{10 ** (power + 3)} ms"
    return f"{10 ** (power + 6)} us"
