"""`bucketline train` in several processes: torchrun's and those that a launcher's variables describe."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from conftest import DEADLINE_SECONDS, Command, Endpoint, wait_until
from gate import gated
from images import labelled_objects, put_all
from reference.epoch_model import Order, steps
from servers import free_port
from test_cli_errors import assert_one_line
from training import SMALL, image_folder, json_lines, summary_of

COUNT = 64
LOOPBACK = {"GLOO_SOCKET_IFNAME": "lo", "OMP_WAIT_POLICY": "passive"}


@pytest.fixture(scope="module")
def bucket(versitygw: Endpoint) -> str:
    name = versitygw.new_bucket()
    put_all(versitygw, name, "images/", labelled_objects(COUNT))
    return name


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return image_folder(tmp_path_factory.mktemp("images"), COUNT)


def torchrun(command: Command, ranks: int, *arguments: object) -> subprocess.Popen[str]:
    launcher = Path(sys.executable).with_name("torchrun")
    module = [sys.executable, "-m", "torch.distributed.run"]
    return subprocess.Popen(
        [*([str(launcher)] if launcher.exists() else module), "--no-python", "--standalone",
         "--nproc-per-node", str(ranks), "--", str(command.binary), *map(str, arguments)],
        env={**command.full_environment(), **LOOPBACK},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )  # fmt: skip


def started(
    command: Command,
    world: int,
    *arguments: object,
    names: str = "torchrun",
    of_rank: Mapping[int, dict[str, str]] = MappingProxyType({}),
) -> list[subprocess.Popen[str]]:
    """Each rank by itself, with the variables of a launcher, and those of its own."""
    rank_name, size_name = {
        "torchrun": ("RANK", "WORLD_SIZE"),
        "slurm": ("SLURM_PROCID", "SLURM_NTASKS"),
        "open mpi": ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"),
        "mpich": ("PMI_RANK", "PMI_SIZE"),
    }[names]
    meeting = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port()), **LOOPBACK}
    return [
        command.with_environment(
            {
                **command.environment,
                **meeting,
                rank_name: str(rank),
                size_name: str(world),
                **of_rank.get(rank, {}),
            }
        ).start(*arguments)
        for rank in range(world)
    ]


def ended(ranks: list[subprocess.Popen[str]]) -> list[tuple[int, str, str]]:
    """Code, output and complaints of each."""
    said = []
    for process in ranks:
        out, err = process.communicate(timeout=DEADLINE_SECONDS)
        said.append((process.returncode, out, err))
    return said


def children_of(process: int) -> list[int]:
    """torchrun's ranks are in sessions of their own."""
    children = []
    for path in Path(f"/proc/{process}/task").glob("*/children"):
        with suppress(OSError):  # the thread has ended
            children += [int(child) for child in path.read_text().split()]
    return children


def records_of(log: Path, ranks: int) -> list[tuple[int, int, list[int]]]:
    """Epoch, position and records of each step, of all ranks together, as far as all of them came."""
    logs = [json_lines(log if rank == 0 else Path(f"{log}.{rank}")) for rank in range(ranks)]
    together = []
    for rows in zip(*logs, strict=False):
        assert len({(row["epoch"], row["position"]) for row in rows}) == 1, "the ranks are at different steps"
        records = [record for row in rows for record in row["records"]]
        together.append((rows[0]["epoch"], rows[0]["position"], records))
    return together


def promised(seed: int, epochs: int, rows: int, count: int, epoch: int = 0, position: int = 0) -> Any:
    """The same, from a place of a run on, of steps of so many rows."""
    order = Order(count, shuffle=True, seed=seed)
    return [
        (number, step.position, [row.record for rank in step.ranks for row in rank])
        for number in range(epoch, epochs)
        for step in steps(order.epoch(number), position if number == epoch else 0, 1, rows, "drop")
    ]


def model_of(folder: Path) -> dict[str, Any]:
    safetensors = pytest.importorskip("safetensors.torch")
    latest = json.loads((folder / "latest.json").read_text())
    tensors: dict[str, Any] = safetensors.load_file(folder / latest["folder"] / "model.safetensors")
    return tensors


def test_torchrun_trains_one_model_and_reports_once(
    on_versitygw: Command, bucket: str, tmp_path: Path
) -> None:
    log, batches, events = tmp_path / "log.jsonl", tmp_path / "batches.jsonl", tmp_path / "events"
    process = torchrun(
        on_versitygw, 2, "train", f"s3://{bucket}/images/", "--image-size", 32, "--width", 0.35, "--batch-size", 4,
        "--epochs", 30, "--seed", 3, "--threads", 1, "--learning-rate", "1e-3", "--validation-split", 0.25, "--log", log,
        "--log-batches", batches, "--checkpoint", tmp_path / "c", "--tensorboard", events, "--json",
    )  # fmt: skip
    out, err = process.communicate(timeout=DEADLINE_SECONDS)
    assert process.returncode == 0, err
    summaries = [line for line in out.splitlines() if line.startswith("{")]
    assert len(summaries) == 1
    summary = summary_of(out)
    assert summary["best_validation_accuracy"] >= 0.8
    begin = json_lines(log)[0]
    assert len([event for event in json_lines(log) if event["event"] == "epoch"]) == 30
    assert records_of(batches, 2) == promised(3, 30, 8, begin["train_images"])
    support = sum(each["support"] for each in summary["validation"]["classes"])
    assert support == begin["validation_images"], "each validation image is judged once"
    assert len(list(events.iterdir())) >= 1


@pytest.mark.parametrize("names", ["slurm", "open mpi", "mpich"])
def test_other_launchers_are_understood(
    on_versitygw: Command, folder: Path, tmp_path: Path, names: str
) -> None:
    batches = tmp_path / "batches.jsonl"
    ranks = started(
        on_versitygw, 2, "train", folder, *SMALL, "--epochs", 1, "--threads", 1, "--log-batches", batches, names=names
    )  # fmt: skip
    assert [code for code, _, _ in ended(ranks)] == [0, 0]
    assert records_of(batches, 2) == promised(0, 1, 16, COUNT)


def distance(one: dict[str, Any], other: dict[str, Any]) -> float:
    assert set(one) == set(other)
    return max(float((other[name].double() - tensor.double()).abs().max()) for name, tensor in one.items())


def test_two_ranks_give_the_model_of_one_with_the_whole_batch(
    on_versitygw: Command, folder: Path, tmp_path: Path, figure: Callable[[str], None]
) -> None:
    """As near as rounding allows: adding in another order, which two threads do, moves the model about as far."""
    common = ("train", folder, "--image-size", 32, "--width", 0.35, "--epochs", 1, "--optimizer", "sgd",
              "--learning-rate", 0.001, "--dropout", 0)  # fmt: skip
    whole = ("--batch-size", COUNT, "--checkpoint")
    on_versitygw.done(*common, *whole, tmp_path / "one", "--threads", 1)
    on_versitygw.done(*common, *whole, tmp_path / "threads", "--threads", 2)
    halves = (*common, "--threads", 1, "--batch-size", COUNT // 2, "--checkpoint")
    for more in (("--sync-bn",), ()):
        ranks = started(on_versitygw, 2, *halves, tmp_path / f"ranks{len(more)}", *more)
        assert [code for code, _, _ in ended(ranks)] == [0, 0]
    one = model_of(tmp_path / "one")
    rounding, together, apart = (
        distance(one, model_of(tmp_path / name)) for name in ("threads", "ranks1", "ranks0")
    )
    figure(
        f"distance of models: two threads {rounding:.1e}, two ranks {together:.1e}, without --sync-bn {apart:.1e}"
    )
    assert together <= 5 * rounding + 1e-6
    assert apart > 20 * rounding, "it would not show if each rank normalised for itself"


def test_a_killed_rank_ends_the_job_and_one_rank_goes_on(
    on_versitygw: Command, versitygw: Endpoint, bucket: str, tmp_path: Path
) -> None:
    """Rank 1 dies without a word; rank 0 says so; a single process does the rest, with the rates of its epochs."""
    checkpoint = f"s3://{bucket}/checkpoints/elastic/"
    arguments = (
        "train", f"s3://{bucket}/images/", *SMALL, "--epochs", 4, "--seed", 7, "--threads", 1, "--schedule", "cosine",
        "--checkpoint", checkpoint, "--checkpoint-every", "1steps", "--json", "--log-batches",
    )  # fmt: skip
    before, after = tmp_path / "before.jsonl", tmp_path / "after.jsonl"
    # Rank 0 saves after each step, and waits in the seventh for the end of the sixth's save.
    with gated(versitygw, lambda method, path: method == "PUT" and path.endswith("/latest.json"), 5) as gate:
        ranks = started(on_versitygw, 2, *arguments, before, of_rank={0: gate.endpoint.environment()})
        gate.closed()
        ranks[1].send_signal(signal.SIGKILL)
        gate.open()
        (code, out, err), _ = ended(ranks)
    said = json.loads(out)
    assert code == 1 and said["error"] == "Connection", err
    assert "rank 0 has lost another rank" in said["message"] and "with resume" in said["message"]
    dealt = promised(7, 4, 16, COUNT)
    seen = records_of(before, 2)
    assert seen == dealt[: len(seen)] and len(seen) >= 6

    # After a checkpoint of step s, which stands in an epoch: 16 records a step then, 8 from there.
    log = tmp_path / "log.jsonl"
    whole = on_versitygw.done(*arguments, after, "--resume", "--log", log)
    step = next(event["step"] for event in json_lines(log) if event["event"] == "resume")
    assert 1 <= step <= len(seen) + 1
    epoch, position = divmod(step * 16, COUNT)
    assert records_of(after, 1) == promised(7, 4, 8, COUNT, epoch, position)
    rates = [event["learning_rate"] for event in json_lines(log) if event["event"] == "step"]
    assert rates == sorted(rates, reverse=True) and rates[-1] < 2e-5, (
        "cosine comes to its end with the epochs"
    )
    assert summary_of(whole.out)["stopped"] is False


def test_an_interrupt_of_one_rank_ends_all_after_the_same_step(
    on_versitygw: Command, folder: Path, tmp_path: Path
) -> None:
    batches = tmp_path / "batches.jsonl"
    ranks = started(
        on_versitygw, 2, "train", folder, *SMALL, "--epochs", 1000, "--threads", 1, "--checkpoint", tmp_path / "c",
        "--log-batches", batches,
    )  # fmt: skip
    wait_until(
        lambda: len(json_lines(batches)) >= 3 or ranks[0].poll() is not None,
        "the third step",
    )
    ranks[1].send_signal(signal.SIGINT)
    assert [code for code, _, _ in ended(ranks)] == [130, 130]
    logs = [json_lines(batches), json_lines(Path(f"{batches}.1"))]
    assert len(logs[0]) == len(logs[1])
    assert json.loads((tmp_path / "c" / "latest.json").read_text())["step"] == len(logs[0])


def test_ranks_that_would_not_train_the_same_say_what_differs(
    on_versitygw: Command, folder: Path, tmp_path: Path
) -> None:
    other = image_folder(tmp_path / "other", COUNT - 8)
    meeting = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port()), **LOOPBACK}
    command = on_versitygw.with_environment({**on_versitygw.environment, **meeting})
    ranks = [
        command.start("train", data, *SMALL, "--epochs", 1, "--rank", rank, "--world-size", 2)
        for rank, data in enumerate((folder, other))
    ]
    for code, _, err in ended(ranks):
        assert code == 1
        assert_one_line(err, "fingerprint is", "on rank 1", "bucketline index")


@pytest.mark.parametrize(
    ("arguments", "environment", "code", "says"),
    [
        (("--rank", 0), {}, 2, "--world-size"),
        (("--rank", 2, "--world-size", 2), {}, 2, "rank 2 of 2"),
        ((), {"RANK": "one", "WORLD_SIZE": "2"}, 2, "RANK should be a number"),
        (("--rank", 0, "--world-size", 2), {}, 1, "MASTER_ADDR is not set"),
        (("--rank-timeout", "0s"), {}, 2, "rank timeout"),
        (("--sync-bn", "--on-error", "mask"), {}, 2, "synchronised batch norm"),
    ],
)
def test_what_ranks_cannot_be(
    on_versitygw: Command,
    folder: Path,
    arguments: tuple[object, ...],
    environment: dict[str, str],
    code: int,
    says: str,
) -> None:
    command = on_versitygw.with_environment({**on_versitygw.environment, **environment})
    outcome = command.run("train", folder, *SMALL, "--epochs", 1, *arguments)
    assert outcome.code == code and says in outcome.err


@pytest.mark.skipif(
    "BUCKETLINE_SAMPLE_DATA" not in os.environ, reason="BUCKETLINE_SAMPLE_DATA names no folder"
)
def test_torchrun_killed_goes_on_with_one_rank_and_learns(
    on_versitygw: Command, versitygw: Endpoint, tmp_path: Path, figure: Callable[[str], None]
) -> None:
    """Satellite tiles, from scratch: 2 ranks of 8 rows, then 1 rank of 16; the samples are those of an undisturbed run."""
    bucket = versitygw.new_bucket()
    on_versitygw.done(
        "put", Path(os.environ["BUCKETLINE_SAMPLE_DATA"]) / "satellite", f"s3://{bucket}/satellite/"
    )
    epochs, seed = 20, 0

    def arguments(rows: int, log: Path) -> tuple[object, ...]:
        return (
            "train", f"s3://{bucket}/satellite/", "--image-size", 96, "--batch-size", rows, "--epochs", epochs,
            "--flip", 0.5, "--validation-split", 0.2, "--seed", seed, "--checkpoint", f"s3://{bucket}/c/",
            "--checkpoint-every", "4steps", "--resume", "--json", "--log", f"{log}.log", "--log-batches", log,
        )  # fmt: skip

    before, after = tmp_path / "before", tmp_path / "after"
    job = torchrun(on_versitygw, 2, *arguments(8, before))
    # An epoch is ten steps and saves at its end: the save of step 34 has begun, so that of step 30 is complete.
    wait_until(lambda: len(json_lines(before)) >= 37 or job.poll() is not None, "step 37")
    assert job.poll() is None, job.communicate()[1]
    for process in [job.pid, *children_of(job.pid)]:  # torchrun and all ranks, without a word
        with suppress(ProcessLookupError):  # of the ranks, one dies by the other's death
            os.kill(process, signal.SIGKILL)
    job.communicate(timeout=DEADLINE_SECONDS)
    outcome = on_versitygw.done(*arguments(16, after), timeout=900)

    log = json_lines(Path(f"{after}.log"))
    count = log[0]["train_images"]
    step = next(event["step"] for event in log if event["event"] == "resume")
    dealt = promised(seed, epochs, 16, count)
    seen = records_of(before, 2)
    assert len(dealt) == 10 * epochs
    assert seen == dealt[: len(seen)] and 30 <= step <= len(seen) + 1 < len(dealt)
    assert records_of(after, 1) == dealt[step:]
    accuracy = summary_of(outcome.out)["best_validation_accuracy"]
    figure(f"satellite, killed on 2 ranks after step {step}, ended on 1: validation accuracy {accuracy:.3f}")
    assert accuracy >= 0.95
