"""The measured figures: each with its target and whether it holds, as a table.

    speed.py BUILD_DIR [FOLDER] [--only decode,latency,...] [--json FILE]

FOLDER holds the images (JPEG); without one, synthetic ones are made. Everything runs on this machine: versitygw, a delay
proxy in front of it, bucketline and its contenders. Ratios compare figures of one run, taken in turns, because
machines are noisy; absolute targets are of a quiet machine.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import servers
from cache_section import cache
from engine_sections import decode, latency, memory, training
from fetch_section import fetch
from file_section import file
from measuring import Row, Run
from mount_section import mount
from pipe_section import pipe
from python_section import python
from scale_section import scale
from shards_section import shards

SECTIONS: dict[str, Callable[[Run], None]] = {
    "decode": decode,
    "latency": latency,
    "fetch": fetch,
    "memory": memory,
    "training": training,
    "python": python,
    "cache": cache,
    "file": file,
    "pipe": pipe,
    "mount": mount,
    "shards": shards,
    "scale": scale,
}

# By default the server fills a buffer of 1 MiB with zeros for every range that it sends: 0.4 ms, which no range of 110 KB
# is worth, on the CPUs that its clients share with it.
SERVER_OPTIONS = ("--io-buffer-size", str(64 << 10))


def markdown(rows: list[Row]) -> str:
    lines, section = [], ""
    for row in rows:
        if row.section != section:
            section = row.section
            lines += ["", f"| {section} | measured | target | holds |", "|---|---|---|---|"]
        holds = "" if row.holds is None else ("yes" if row.holds else "**no**")
        lines.append(f"| {row.figure} | {row.value} | {row.target} | {holds} |")
    return "\n".join(lines[1:])


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("build", type=Path)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--only", default=",".join(SECTIONS), help="sections, separated by commas")
    parser.add_argument("--json", type=Path, help="file for the rows")
    args = parser.parse_args()
    names = args.only.split(",")
    if unknown := set(names) - set(SECTIONS):
        parser.error(f"no such section: {', '.join(sorted(unknown))}; there are {', '.join(SECTIONS)}")

    with tempfile.TemporaryDirectory() as scratch:
        work = Path(scratch)
        (work / "buckets" / "bench").mkdir(parents=True)
        server = os.environ["BUCKETLINE_VERSITYGW"]
        with servers.versitygw(server, work / "buckets", store_options=SERVER_OPTIONS) as endpoint:
            run = Run(args.build.resolve(), args.folder or work / "images", endpoint, work)
            if args.folder:
                run.command("put", args.folder, "s3://bench/images/")
            else:
                print("no folder was given: 500 synthetic images of 400 x 400", file=sys.stderr)
                run.command("synthesize", "s3://bench/images/", "--images", 500, "--size", 400)
                run.command("get", "s3://bench/images/", "--to", run.folder)
            for name in names:
                run.section = name
                print(f"{name}: {SECTIONS[name].__doc__}", flush=True)
                SECTIONS[name](run)
    print("\n" + markdown(run.rows))
    if args.json:
        args.json.write_text(json.dumps([asdict(row) for row in run.rows], indent=1))
    failed = [row.figure for row in run.rows if row.holds is False]
    targets = sum(row.holds is not None for row in run.rows)
    print(
        f"\n{targets - len(failed)} of {targets} targets hold"
        + (f"; not: {'; '.join(failed)}" if failed else "")
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
