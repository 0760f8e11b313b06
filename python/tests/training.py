"""What the tests of `bucketline train` share."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from images import jpeg, labelled_objects

SMALL = ("--image-size", 32, "--batch-size", 8, "--width", 0.35)
SMALL_IMAGES = SMALL[:4]


def json_lines(path: Path) -> list[dict[str, Any]]:
    """Whole lines only: a killed process may have left half of one."""
    if not path.exists():
        return []
    text = path.read_text()
    return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]


def events_of(path: Path, kind: str) -> list[dict[str, Any]]:
    return [event for event in json_lines(path) if event["event"] == kind]


def summary_of(out: str) -> dict[str, Any]:
    summary: dict[str, Any] = json.loads(out.splitlines()[-1])
    return summary


def image_folder(folder: Path, count: int = 64) -> Path:
    """Two classes, taking turns."""
    for key, data in labelled_objects(count).items():
        path = folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def uneven_folder(folder: Path, counts: dict[str, int]) -> Path:
    """As many images of each class as it says; nothing in them tells the class."""
    seed = 0
    for name, count in counts.items():
        (folder / name).mkdir(parents=True)
        for i in range(count):
            (folder / name / f"{i:03}.jpg").write_bytes(jpeg(seed, bright=seed % 3 == 0))
            seed += 1
    return folder
