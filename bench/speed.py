"""The measured figures: each with its target and whether it holds, as a table.

    speed.py BUILD_DIR [FOLDER] [--only decode,latency,...] [--json FILE]

FOLDER holds the images (JPEG); without one, synthetic ones are made. Everything runs on this machine: versitygw, a delay
proxy in front of it, bucketline and its contenders. Ratios compare figures of one run, taken in turns, because
machines are noisy; absolute targets are of a quiet machine.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import servers
from mount_section import mount
from python_section import python

HERE = Path(__file__).resolve().parent
MIB = 1 << 20
STREAM = ("--crop", "random_resized", "--size", 224, "--batch-size", 32, "--flip", 0.5, "--labels", "none")
DEADLINE_SECONDS = 1800


@dataclass
class Row:
    section: str
    figure: str
    value: str
    target: str = ""
    holds: bool | None = None


@dataclass
class Run:
    """What the sections share: the programs, the server with the images in bucket `bench`, and the rows so far."""

    build: Path
    folder: Path
    endpoint: servers.Endpoint
    work: Path
    rows: list[Row] = field(default_factory=list)
    section: str = ""

    @property
    def bucketline(self) -> Path:
        return self.build / "bin" / "bucketline"

    def add(self, figure: str, value: str, target: str = "", holds: bool | None = None) -> None:
        self.rows.append(Row(self.section, figure, value, target, holds))
        mark = "" if holds is None else ("  holds" if holds else "  DOES NOT HOLD")
        print(f"  {figure}: {value}{f'   (target {target})' if target else ''}{mark}", flush=True)

    def command(self, *words: Any, endpoint: servers.Endpoint | None = None) -> dict[str, Any]:
        """Runs the bucketline command with --json and gives its last line."""
        done = subprocess.run(
            [self.bucketline, *map(str, words), "--json"],
            env=(endpoint or self.endpoint).environment(),
            capture_output=True,
            text=True,
            timeout=DEADLINE_SECONDS,
        )
        if done.returncode != 0:
            raise RuntimeError(f"bucketline {' '.join(map(str, words))}: {done.stderr.strip()}")
        figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return figures

    def stream(self, *words: Any, endpoint: servers.Endpoint | None = None) -> dict[str, Any]:
        return self.command("bench", "s3://bench/images/", *STREAM, *words, endpoint=endpoint)

    def contender(self, *words: Any) -> dict[str, Any]:
        """One of contenders.py."""
        return self._script("contenders.py", *words, endpoint=self.endpoint)

    def loop(self, contender: str, *options: Any, endpoint: servers.Endpoint | None = None) -> dict[str, Any]:
        """A Python training loop of python_contenders.py over the images in bucket `bench`."""
        words = (contender, "bench", "images/", *options)
        return self._script("python_contenders.py", *words, endpoint=endpoint or self.endpoint)

    def _script(self, name: str, *words: Any, endpoint: servers.Endpoint) -> dict[str, Any]:
        path = os.pathsep.join(
            filter(None, [os.environ.get("BUCKETLINE_BENCH_PACKAGES"), os.environ.get("PYTHONPATH")])
        )
        environment = {
            **endpoint.environment(),
            "PYTHONPATH": path,
            "OMP_WAIT_POLICY": "passive",
            "TF_CPP_MIN_LOG_LEVEL": "3",
        }
        return self.json(sys.executable, "-W", "ignore", HERE / name, *words, env=environment)

    def json(self, *words: Any, env: dict[str, str] | None = None) -> dict[str, Any]:
        done = subprocess.run(
            list(map(str, words)),
            env=env,
            stdout=subprocess.PIPE,
            text=True,
            timeout=DEADLINE_SECONDS,
            check=True,
        )
        figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return figures

    @contextlib.contextmanager
    def delayed(self, *delay: str) -> Iterator[servers.Proxied]:
        with servers.delayed(self.build / "bin" / "delay_proxy", self.endpoint, *delay) as proxied:
            yield proxied


def median(figures: list[dict[str, Any]], name: str) -> float:
    return statistics.median(figure[name] for figure in figures)


def decode(run: Run) -> None:
    """CPU of the client beside the same work from memory."""
    runs = [run.stream("--epochs", 5) for _ in range(3)]
    best = min(runs, key=lambda figures: figures["cpu_over_limit"])
    limit, floor = median(runs, "limit_cpu_us_per_image"), median(runs, "crop_decode_cpu_us_per_image")
    run.add("images/s", f"{median(runs, 'images_per_second'):.0f}")
    run.add("client CPU per image", f"{median(runs, 'cpu_us_per_image'):.0f} us")
    run.add("the same work from memory, one thread (the limit)", f"{limit:.0f} us")
    run.add("libjpeg-turbo's crop decode alone", f"{floor:.0f} us")
    over = median(runs, "cpu_over_limit")
    run.add("client CPU / limit", f"{over:.2f} (best {best['cpu_over_limit']:.2f})", "<= 1.15", over <= 1.15)
    run.add("limit / crop decode alone", f"{limit / floor:.2f}", "<= 1.25", limit / floor <= 1.25)
    pillow = run.contender("pillow", run.folder)["cpu_us_per_image"]
    run.add("Pillow and torchvision, the same work from memory", f"{pillow:.0f} us")
    run.add("Pillow and torchvision / limit", f"{pillow / limit:.2f}", ">= 2.5", pillow / limit >= 2.5)
    first = min(figures["first_batch_seconds"] for figures in runs)
    run.add("first batch after", f"{first:.2f} s", "<= 0.30 s", first <= 0.3)
    generator = run.loop("generator")
    run.add("boto3 and Pillow, one generator", f"{generator['images_per_second']:.0f} images/s")
    run.add(
        "images/s / boto3's",
        f"{median(runs, 'images_per_second') / generator['images_per_second']:.1f}",
    )


def latency(run: Run) -> None:
    """Far stores: 50 ms to the first byte, and a lognormal tail, against the same proxy without a delay."""
    rounds: dict[str, list[dict[str, Any]]] = {"near": [], "far": [], "tail": [], "tail without hedges": []}
    delays = {
        "near": ("--delay", "0ms"),
        "far": ("--delay", "50ms"),
        "tail": ("--median", "30ms", "--p99", "600ms"),
        "tail without hedges": ("--median", "30ms", "--p99", "600ms"),
    }
    proxy_cpu = []
    for _ in range(3):
        for name, delay in delays.items():
            hedge = ("--hedge", "off") if name == "tail without hedges" else ()
            with run.delayed(*delay) as proxied:
                rounds[name].append(run.stream("--epochs", 10, *hedge, endpoint=proxied.endpoint))
            proxy_cpu.append(proxied.cost["cpu_seconds"] / proxied.cost["turns"] * 1e6)
    near, far = median(rounds["near"], "images_per_second"), median(rounds["far"], "images_per_second")
    tail = median(rounds["tail"], "images_per_second")
    run.add(
        "through the proxy at 0 ms",
        f"{near:.0f} images/s; the proxy's CPU {statistics.median(proxy_cpu):.0f} us a GET",
    )
    run.add("at 50 ms / at 0 ms", f"{far / near:.2f} ({far:.0f} images/s)", ">= 0.95", far / near >= 0.95)
    run.add("lognormal tail (30 ms, p99 600 ms) / 0 ms", f"{tail / near:.2f}", ">= 0.90", tail / near >= 0.9)
    for name, label in (("tail", "on"), ("tail without hedges", "off")):
        run.add(
            f"a batch at p99, tail, hedging {label}",
            f"{median(rounds[name], 'batch_p99_seconds') * 1e3:.0f} ms",
        )
    peak = max(figures["peak_rss_bytes"] for figures in rounds["far"])
    run.add("peak RSS at 50 ms", f"{peak / MIB:.0f} MiB", "< 400 MB", peak < 400e6)
    with run.delayed("--delay", "50ms") as proxied:
        other = run.loop("s3torchconnector", "--workers", 32, endpoint=proxied.endpoint)
    run.add(
        "s3torchconnector, 32 workers, at 50 ms",
        f"{other['images_per_second']:.0f} images/s, {other['memory_bytes'] / MIB:.0f} MiB",
    )
    run.add(
        "images/s / s3torchconnector's",
        f"{far / other['images_per_second']:.1f}",
        ">= 3",
        far / other["images_per_second"] >= 3,
    )


def fetch(run: Run) -> None:
    """Bytes alone: many small objects over kept connections, and one large object."""
    small = run.work / "small"
    small.mkdir()
    for index in range(200):
        (small / f"{index:03}.bin").write_bytes(os.urandom(100_000))
    run.command("put", small, "s3://bench/small/")
    urls = run.work / "urls"
    urls.write_text("\n".join(presigned(run.endpoint, [f"small/{index:03}.bin" for index in range(200)])))
    ours, floors = [], []
    raw = (
        "bench",
        "s3://bench/small/",
        "--raw",
        "--extensions",
        "",
        "--labels",
        "none",
        "--requests",
        64,
        "--epochs",
        40,
    )
    for _ in range(3):
        ours.append(run.command(*raw))
        floors.append(run.json(run.build / "bin" / "fetch_floor", urls, 8000, 64))
    cpu, floor = median(ours, "cpu_us_per_image"), median(floors, "cpu_us_per_request")
    run.add("GETs of 100 KB, 64 connections", f"{median(ours, 'images_per_second'):.0f}/s")
    run.add("client CPU per GET of 100 KB", f"{cpu:.0f} us", "<= 45 us", cpu <= 45)
    run.add("bare libcurl per GET of 100 KB", f"{floor:.0f} us")
    run.add("client CPU / bare libcurl", f"{cpu / floor:.2f}")

    size = 1 << 30
    large = run.work / "large"
    large.mkdir()
    with (large / "one.bin").open("wb") as file:
        for _ in range(size >> 24):
            file.write(os.urandom(1 << 24))
    run.command("put", large, "s3://bench/large/")
    url = presigned(run.endpoint, ["large/one.bin"])[0]
    rates: dict[str, list[float]] = {"ours": [], "curl": []}
    for _ in range(3):
        start = time.monotonic()
        run.command("get", "s3://bench/large/", "--extensions", "", "--discard")
        rates["ours"].append(size / (time.monotonic() - start))
        rates["curl"].append(size / curl_in_parts(url, size, 8))
    mine, theirs = statistics.median(rates["ours"]), statistics.median(rates["curl"])
    run.add("one object of 1 GiB", f"{mine / 1e6:.0f} MB/s; curl in 8 ranges {theirs / 1e6:.0f} MB/s")
    run.add("one object / parallel curl", f"{mine / theirs:.2f}", ">= 0.90", mine / theirs >= 0.9)


def presigned(endpoint: servers.Endpoint, keys: list[str]) -> list[str]:
    import boto3
    from botocore.config import Config

    client = boto3.client(
        "s3",
        endpoint_url=endpoint.url,
        aws_access_key_id=endpoint.access_key_id,
        aws_secret_access_key=endpoint.secret_access_key,
        region_name="us-east-1",
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
    )
    return [
        client.generate_presigned_url("get_object", Params={"Bucket": "bench", "Key": key}, ExpiresIn=86400)
        for key in keys
    ]


def curl_in_parts(url: str, size: int, parts: int) -> float:
    """Seconds of `parts` curl commands at once, a range each, to nowhere."""
    step = -(-size // parts)
    start = time.monotonic()
    running = [
        subprocess.Popen(
            ["curl", "-sS", "--fail", "-o", os.devnull, "-r", f"{begin}-{min(begin + step, size) - 1}", url],
        )
        for begin in range(0, size, step)
    ]
    if any(process.wait(DEADLINE_SECONDS) for process in running):
        raise RuntimeError("curl could not read the object")
    return time.monotonic() - start


def memory(run: Run) -> None:
    """Bounds: resident memory against the budget, bytes a record, growth over epochs."""
    for budget in (128, 512):
        figures = run.stream("--epochs", 5, "--memory", f"{budget}MiB")
        over = figures["peak_rss_bytes"] / MIB - budget
        run.add(f"peak RSS - budget, 200 keys, {budget} MiB", f"{over:.0f} MiB", "<= 120 MiB", over <= 120)

    buckets = run.work / "many"
    (buckets / "bench" / "images").mkdir(parents=True)
    # Copies, not links of one file: a hundred thousand links are more than file systems give one inode.
    sources = sorted(run.folder.rglob("*.jpg"))[:10]
    for number in range(100_000):
        if number < len(sources):
            originals = buckets / "bench" / "images" / f"{number:06}.jpg"
            originals.write_bytes(sources[number].read_bytes())
        else:
            os.link(
                buckets / "bench" / "images" / f"{number % len(sources):06}.jpg",
                originals.with_name(f"{number:06}.jpg"),
            )
    with servers.serve(run.bucketline, buckets) as endpoint:
        figures = run.stream("--batches", 60, "--memory", "128MiB", endpoint=endpoint)
    over = figures["peak_rss_bytes"] / MIB - 128
    run.add("peak RSS - budget, 100,000 keys, 128 MiB", f"{over:.0f} MiB", "<= 120 MiB", over <= 120)

    for count in (1_000_000, 10_000_000):
        manifest = run.work / "bench.manifest"
        program = run.build / "bin" / "manifest_bench"
        subprocess.run([program, "make", manifest, str(count)], check=True, timeout=DEADLINE_SECONDS)
        figures = run.json(program, "open", manifest)
        manifest.unlink()
        for what in ("file", "memory"):
            value = figures[f"{what}_bytes_per_record"]
            run.add(f"{what} a record, {count:,} records", f"{value:.1f} bytes", "<= 48 bytes", value <= 48)
        run.add(f"opened, {count:,} records", f"{figures['open_seconds']:.3f} s")

    bounded = ("--memory", "128MiB", "--epochs")
    early, late = (run.stream(*bounded, epochs)["last_epoch_rss_bytes"] for epochs in (5, 50))
    grown = (late - early) / MIB
    run.add("RSS after epoch 50 - after epoch 5, 128 MiB", f"{grown:.1f} MiB", "<= 8 MiB", grown <= 8)


def training(run: Run) -> None:
    """The trainer beside a PyTorch script whose tensors are in memory."""
    ours, theirs, waits = [], [], []
    run.command("synthesize", "s3://bench/train/", "--images", 320, "--size", 96)
    for _ in range(3):
        figures = run.command(
            "train",
            "s3://bench/train/",
            "--image-size",
            96,
            "--batch-size",
            16,
            "--epochs",
            3,
            "--validation-split",
            0,
        )
        ours.append(figures["images_per_second"])
        waits.append(figures["wait_share"])
        theirs.append(
            run.contender("torch-train", "--size", 96, "--batch-size", 16, "--steps", 40)["images_per_second"]
        )
    mine, other = statistics.median(ours), statistics.median(theirs)
    run.add("trainer, MobileNetV2 at 96 px, batches of 16", f"{mine:.1f} images/s")
    run.add("PyTorch script on tensors in memory", f"{other:.1f} images/s")
    run.add("trainer / PyTorch script", f"{mine / other:.2f}", ">= 1", mine / other >= 1)
    waiting = statistics.median(waits)
    run.add("share of waiting for data", f"{waiting * 100:.1f} %", "<= 2 %", waiting <= 0.02)


SECTIONS: dict[str, Callable[[Run], None]] = {
    "decode": decode,
    "latency": latency,
    "fetch": fetch,
    "memory": memory,
    "training": training,
    "python": python,
    "mount": mount,
}


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
        with servers.versitygw(os.environ["BUCKETLINE_VERSITYGW"], work / "buckets") as endpoint:
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
