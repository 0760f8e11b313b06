"""`bucketline pack --ray`, from where the command has found the records: see cli/pack_ray.h."""

from __future__ import annotations

import json
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import bucketline._core as _core
from bucketline.dataset import Dataset
from bucketline.errors import Error, IoError
from bucketline.packing import PackReport, PackSettings
from bucketline.ray_packing import pack_on_ray

FAILED = 1
INTERRUPTED = 130


def main(folder: str) -> int:
    """Does what is written down in the folder, and removes it. The exit code."""
    try:
        try:
            spec = json.loads((Path(folder) / "pack.json").read_text())
            dataset = Dataset(Path(folder) / "data.manifest", **spec["reach"])
        finally:
            shutil.rmtree(folder, ignore_errors=True)  # what is mapped stays
        return _pack(dataset, spec)
    except KeyboardInterrupt:
        print("bucketline: interrupted", file=sys.stderr)
        return INTERRUPTED


def _pack(dataset: Dataset, spec: dict[str, Any]) -> int:
    begin = time.monotonic()
    line = _Line(spec["name"], len(dataset))
    try:
        report = pack_on_ray(
            dataset,
            spec["out"],
            PackSettings(**spec["settings"]),
            address=spec["address"] or None,
            cpus=spec["cpus"],
            progress=line.show,
        )
        if spec["quarantine"]:
            with open(spec["quarantine"], "a", encoding="utf-8", errors="replace") as file:
                for uri, reason in report.bad:
                    print(json.dumps({"uri": uri, "reason": reason}), file=file)
    except (Error, OSError) as error:
        line.clear()
        if spec["json"]:
            known = error if isinstance(error, Error) else IoError(str(error))
            print(json.dumps({"error": known.code, "message": known.message, "uri": known.uri}))
        print(f"bucketline: {error}", file=sys.stderr)
        return FAILED
    line.clear()
    _print(report, time.monotonic() - begin, spec["json"])
    return 0


class _Line:
    """On a terminal."""

    def __init__(self, name: str, records: int) -> None:
        self._name, self._records, self._shown = name, records, False

    def show(self, records: int, size: int) -> None:
        if sys.stderr.isatty():
            self._shown = True
            text = f"packing {self._name}: {records}/{self._records} records, {_core.format_byte_size(size)}"
            print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)

    def clear(self) -> None:
        if self._shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def _print(report: PackReport, seconds: float, as_json: bool) -> None:
    names = ("records", "skipped", "shards", "kept_shards", "bytes_read", "bytes_written", "shard_bytes")
    if as_json:
        figures = {name: getattr(report, name) for name in names}
        print(json.dumps({**figures, "seconds": seconds, "index": report.index}))
        return
    kept = f"; {report.kept_shards} shards were there" if report.kept_shards else ""
    left_out = f"; {report.skipped} bad records are left out" if report.skipped else ""
    size = _core.format_byte_size(report.shard_bytes)
    print(f"{report.records} records in {report.shards} shards, {size}, in {seconds:.1f} s{kept}{left_out}")
    print(f"open {report.index}")
