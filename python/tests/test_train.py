"""Training end to end: learns, is resumed bit for bit, and its checkpoint is torchvision's model."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from conftest import DEADLINE_SECONDS, Command, Endpoint, missing, wait_until
from gate import gated
from images import labelled_objects, put_all
from reference.epoch_model import Order
from test_cli_errors import assert_one_line
from training import SMALL, json_lines, summary_of

COUNT = 64


@pytest.fixture(scope="module")
def bucket(versitygw: Endpoint) -> str:
    name = versitygw.new_bucket()
    put_all(versitygw, name, "images/", labelled_objects(COUNT))
    return name


def test_learns_and_reports(on_versitygw: Command, bucket: str, tmp_path: Path) -> None:
    log = tmp_path / "metrics.jsonl"
    outcome = on_versitygw.done(
        "train", f"s3://{bucket}/images/", *SMALL, "--labels", "folder", "--model", "mobilenet_v2", "--epochs", 30,
        "--optimizer", "adam", "--learning-rate", "1e-3", "--loss", "binary_crossentropy", "--validation-split", 0.2,
        "--seed", 0, "--threads", 2, "--memory", "256MiB", "--log", log, "--on-error", "skip", "--json",
    )  # fmt: skip
    summary = summary_of(outcome.out)
    assert summary["best_validation_accuracy"] >= 0.9
    assert summary["requests"] > COUNT
    assert summary["stages"]["decode"]["count"] > 0
    events = json_lines(log)
    assert [event["epoch"] for event in events if event["event"] == "epoch"] == list(range(30))
    begin, end = events[0], events[-1]
    assert begin["train_images"] + begin["validation_images"] == COUNT
    assert begin["classes"] == ["bright", "dark"]
    assert end["event"] == "end"
    last = [event for event in events if event["event"] == "epoch"][-1]
    assert (summary["images_per_second"], summary["wait_share"]) == (
        last["images_per_second"],
        last["wait_share"],
    )
    assert summary["images_per_second"] > 0
    assert end["loss"] == summary["loss"]


def train_arguments(bucket: str, checkpoint: str, log: Path, *more: object) -> tuple[object, ...]:
    return (
        "train", f"s3://{bucket}/images/", *SMALL, "--epochs", 3, "--seed", 7, "--threads", 1, "--flip", 0.5,
        "--crop", "random_resized", "--checkpoint", checkpoint, "--checkpoint-every", "3steps",
        "--log-batches", log, "--json", *more,
    )  # fmt: skip


def test_killed_and_resumed_it_goes_on_bit_for_bit(
    on_versitygw: Command, versitygw: Endpoint, bucket: str, tmp_path: Path
) -> None:
    whole_log = tmp_path / "whole.jsonl"
    whole = summary_of(on_versitygw.done(*train_arguments(bucket, str(tmp_path / "whole"), whole_log)).out)
    batches = json_lines(whole_log)
    assert len(batches) == 3 * (COUNT // 8)
    assert len({batch["pixels"] for batch in batches}) == len(batches)

    log = tmp_path / "killed.jsonl"
    checkpoint = f"s3://{bucket}/checkpoints/killed/"
    # In the second epoch: the save of step 14 does not end, those of steps 3, 6, 8 and 11 are complete.
    with gated(versitygw, lambda method, path: method == "PUT" and path.endswith("/latest.json"), 4) as gate:
        process = on_versitygw.with_environment(gate.endpoint.environment()).start(
            *train_arguments(bucket, checkpoint, log)
        )
        gate.closed()
        wait_until(lambda: len(json_lines(log)) >= 15 or process.poll() is not None, "step 15")
        process.send_signal(signal.SIGKILL)
        _, err = process.communicate(timeout=DEADLINE_SECONDS)
    assert process.returncode == -signal.SIGKILL, err

    state = json.loads(
        versitygw.client().get_object(Bucket=bucket, Key="checkpoints/killed/latest.json")["Body"].read()
    )
    assert state["step"] == 11
    resumed_log = tmp_path / "resumed.jsonl"
    resumed = summary_of(on_versitygw.done(*train_arguments(bucket, checkpoint, resumed_log, "--resume")).out)
    assert json_lines(resumed_log) == batches[state["step"] :]
    # One thread adds in one order, so even the losses are the same to the bit.
    assert resumed["loss"] == whole["loss"]
    assert resumed["steps"] == whole["steps"]


def test_resume_without_a_checkpoint_starts_anew(on_versitygw: Command, bucket: str, tmp_path: Path) -> None:
    log = tmp_path / "batches.jsonl"
    checkpoint = f"s3://{bucket}/checkpoints/new/"
    first = summary_of(on_versitygw.done(*train_arguments(bucket, checkpoint, log, "--resume")).out)
    assert first["steps"] == 24
    again = summary_of(on_versitygw.done(*train_arguments(bucket, checkpoint, log, "--resume")).out)
    assert (again["steps"], again["images"]) == (24, 0)


def test_a_window_is_the_loaders(on_versitygw: Command, bucket: str, tmp_path: Path) -> None:
    log = tmp_path / "batches.jsonl"
    arguments = (
        "train",
        f"s3://{bucket}/images/",
        *SMALL,
        "--epochs",
        2,
        "--seed",
        7,
        "--checkpoint",
        tmp_path / "c",
    )
    on_versitygw.done(*arguments, "--window", 2, "--log-batches", log)
    order = Order(
        COUNT, shuffle=True, seed=7, shards=(tuple(range(COUNT)),), window=2
    )  # one block of 64 keys
    expected = [record for epoch in range(2) for record in order.epoch(epoch)]
    assert [record for batch in json_lines(log) for record in batch["records"]] == expected
    for more, says in (
        ((), "its window is 2, the loader's 0"),
        (("--window", 3), "its window is 2, the loader's 3"),
    ):
        outcome = on_versitygw.run(*arguments, "--resume", *more)
        assert outcome.code == 1 and says in outcome.err


def test_an_interrupt_keeps_what_was_done(on_versitygw: Command, bucket: str, tmp_path: Path) -> None:
    log = tmp_path / "batches.jsonl"
    checkpoint = tmp_path / "checkpoints"
    arguments = ("train", f"s3://{bucket}/images/", *SMALL, "--epochs", 1000, "--checkpoint", checkpoint,
                 "--log-batches", log)  # fmt: skip
    process = on_versitygw.start(*arguments)
    wait_until(lambda: len(json_lines(log)) >= 3 or process.poll() is not None, "step 3")
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=DEADLINE_SECONDS)
    assert process.returncode == 130, err
    assert json.loads((checkpoint / "latest.json").read_text())["step"] == len(json_lines(log))


def test_only_the_newest_checkpoints_stay(on_versitygw: Command, versitygw: Endpoint, bucket: str) -> None:
    checkpoint = f"s3://{bucket}/checkpoints/few/"
    on_versitygw.done(
        "train", f"s3://{bucket}/images/", *SMALL, "--epochs", 2, "--checkpoint", checkpoint, "--checkpoint-every",
        "2steps", "--keep", 3,
    )  # fmt: skip
    listed = versitygw.client().list_objects_v2(Bucket=bucket, Prefix="checkpoints/few/", Delimiter="/")
    assert len(listed["CommonPrefixes"]) == 3
    assert listed["CommonPrefixes"][-1]["Prefix"].endswith("/step-00000016/")


def test_a_checkpoint_of_another_run_is_refused(on_versitygw: Command, bucket: str, tmp_path: Path) -> None:
    base = ("train", f"s3://{bucket}/images/", "--image-size", 32, "--batch-size", 8, "--epochs", 1,
            "--checkpoint", tmp_path / "c")  # fmt: skip
    on_versitygw.done(*base, "--width", 0.35)
    saved = (tmp_path / "c" / "latest.json").read_bytes()
    for arguments, says in [
        (("--width", 0.5), "width"),
        (("--width", 0.35, "--optimizer", "sgd"), "optimizer"),
        (("--width", 0.35, "--seed", 5), "seed"),
        (("--width", 0.35, "--validation-split", 0.3), "data"),
    ]:
        outcome = on_versitygw.run(*base, "--resume", *arguments)
        assert outcome.code == 1, arguments
        assert_one_line(outcome.err, str(tmp_path / "c"), says)
    assert (tmp_path / "c" / "latest.json").read_bytes() == saved  # which the right options go on from


def test_a_damaged_checkpoint_is_named(on_versitygw: Command, bucket: str, tmp_path: Path) -> None:
    base = ("train", f"s3://{bucket}/images/", *SMALL, "--epochs", 1, "--checkpoint", tmp_path / "c")
    on_versitygw.done(*base)
    model = next((tmp_path / "c").glob("step-*/model.safetensors"))
    damaged = bytearray(model.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    model.write_bytes(damaged)
    outcome = on_versitygw.run(*base, "--resume")
    assert outcome.code == 1
    assert "model.safetensors" in outcome.err


def test_sgd_and_weights(on_versitygw: Command, bucket: str, tmp_path: Path) -> None:
    base = (
        "train", f"s3://{bucket}/images/", "--image-size", 32, "--batch-size", 8, "--epochs", 1,
        "--optimizer", "sgd", "--learning-rate", 0.01,
    )  # fmt: skip
    on_versitygw.done(*base, "--width", 0.35, "--checkpoint", tmp_path / "c")
    model = next((tmp_path / "c").glob("step-*/model.safetensors"))
    on_versitygw.done(*base, "--width", 0.35, "--weights", model)
    outcome = on_versitygw.run(*base, "--width", 0.5, "--weights", model)
    assert outcome.code == 1
    assert "model.safetensors" in outcome.err
    assert "shape" in outcome.err


def test_the_checkpoint_is_torchvisions_model(
    on_versitygw: Command, build_dir: Path, bucket: str, tmp_path: Path
) -> None:
    torch = pytest.importorskip("torch")
    torchvision = pytest.importorskip("torchvision")
    safetensors = pytest.importorskip("safetensors.torch")
    tool = build_dir / "bin" / "model_tool"
    if not tool.exists():
        missing(f"{tool} is not built")
    on_versitygw.done(
        "train", f"s3://{bucket}/images/", "--image-size", 64, "--batch-size", 16, "--epochs", 2,
        "--checkpoint", tmp_path / "c",
    )  # fmt: skip
    weights = max((tmp_path / "c").glob("step-*/model.safetensors"))
    model = torchvision.models.mobilenet_v2(num_classes=1)
    model.load_state_dict(safetensors.load_file(weights))
    model.eval()
    pixels = np.random.default_rng(0).normal(size=(4, 3, 96, 96)).astype(np.float32)
    (tmp_path / "pixels").write_bytes(pixels.tobytes())
    ours = subprocess.run(
        [str(tool), str(weights), str(tmp_path / "pixels"), "4", "96", "1"],
        capture_output=True,
        check=True,
        timeout=DEADLINE_SECONDS,
    ).stdout
    with torch.no_grad():
        theirs = model(torch.from_numpy(pixels)).numpy()
    np.testing.assert_allclose(np.frombuffer(ours, np.float32).reshape(4, 1), theirs, atol=1e-4)


@pytest.mark.skipif(
    "BUCKETLINE_SAMPLE_DATA" not in os.environ, reason="BUCKETLINE_SAMPLE_DATA names no folder"
)
def test_median_accuracy_on_real_images(
    on_versitygw: Command, versitygw: Endpoint, figure: Callable[[str], None]
) -> None:
    """Two classes of 100 satellite tiles, from scratch. Of seeds 0 to 4 the median: three decide."""
    bucket = versitygw.new_bucket()
    folder = Path(os.environ["BUCKETLINE_SAMPLE_DATA"]) / "satellite"
    on_versitygw.done("put", folder, f"s3://{bucket}/satellite/")
    good = bad = 0
    for seed in range(5):
        outcome = on_versitygw.done(
            "train", f"s3://{bucket}/satellite/", "--image-size", 96, "--batch-size", 16, "--epochs", 20,
            "--flip", 0.5, "--validation-split", 0.2, "--seed", seed, "--json", timeout=600,
        )  # fmt: skip
        summary = summary_of(outcome.out)
        best = summary["best_validation_accuracy"]
        figure(
            f"satellite, seed {seed}: best validation accuracy {best:.3f}, "
            f"of the last epoch {summary['validation_accuracy']:.3f}"
        )
        good += best >= 0.95
        bad += best < 0.95
        if max(good, bad) == 3:
            break
    assert good == 3
