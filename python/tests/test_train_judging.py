"""Schedules, early stop, best checkpoint and the final report, against independent computations."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from conftest import Command
from training import SMALL, events_of, image_folder, json_lines, summary_of, uneven_folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return image_folder(tmp_path_factory.mktemp("images"))


def test_the_learning_rate_follows_the_schedule(bucketline: Command, folder: Path, tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    bucketline.done(
        "train", folder, *SMALL, "--epochs", 2, "--learning-rate", 0.01, "--schedule", "cosine", "--warmup", "4steps",
        "--schedule-end", 0.1, "--log", log,
    )  # fmt: skip
    rates = [event["learning_rate"] for event in events_of(log, "step")]
    steps = 2 * (64 // 8)
    expected = [0.01 * (step + 1) / 4 for step in range(4)]
    expected += [
        0.01 * (0.1 + 0.9 * (1 + math.cos(math.pi * (step - 4) / (steps - 4))) / 2)
        for step in range(4, steps)
    ]
    np.testing.assert_allclose(rates, expected, rtol=1e-12)


def test_a_checkpoint_of_another_schedule_is_refused(
    bucketline: Command, folder: Path, tmp_path: Path
) -> None:
    base = ("train", folder, *SMALL, "--epochs", 1, "--checkpoint", tmp_path / "c", "--schedule", "linear")
    bucketline.done(*base)
    for change in (("--epochs", 2), ("--warmup", "2steps"), ("--schedule", "cosine")):
        outcome = bucketline.run(*(part for part in base), "--resume", *change)
        assert outcome.code in (1, 2), change
        if outcome.code == 1:
            assert "schedule" in outcome.err


def test_stops_early_and_keeps_the_best(bucketline: Command, folder: Path, tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    outcome = bucketline.done(
        "train", folder, *SMALL, "--epochs", 40, "--learning-rate", 1e-12, "--validation-split", 0.3, "--early-stop", 3,
        "--monitor", "loss", "--keep", 1, "--checkpoint", tmp_path / "c", "--log", log, "--json",
    )  # fmt: skip
    summary = summary_of(outcome.out)
    assert summary["early_stopped"] and not summary["stopped"]
    epochs = events_of(log, "epoch")
    losses = [epoch["validation_loss"] for epoch in epochs]
    assert len(epochs) < 40
    assert int(np.argmin(losses)) == len(losses) - 1 - 3
    best = json.loads((tmp_path / "c" / "best.json").read_text())
    assert best["step"] == epochs[int(np.argmin(losses))]["step"]
    assert (tmp_path / "c" / best["folder"] / "model.safetensors").exists()
    assert summary["best"] == min(losses)
    # Best and latest, nothing else.
    assert len(list((tmp_path / "c").glob("step-*/state.json"))) == 2


def area_by_pairs(scores: np.ndarray, positive: np.ndarray) -> float:
    """The definition: the share of (positive, negative) pairs in the right order, ties counting half."""
    above = scores[positive][:, None] - scores[~positive][None, :]
    return float(np.mean((above > 0) + 0.5 * (above == 0)))


@pytest.mark.parametrize("counts", [{"a": 30, "b": 50}, {"a": 24, "b": 40, "c": 33}])
def test_the_report_is_what_numpy_makes_of_the_predictions(
    bucketline: Command, tmp_path: Path, counts: dict[str, int]
) -> None:
    images = uneven_folder(tmp_path / "images", counts)
    outcome = bucketline.done(
        "train", images, *SMALL, "--epochs", 2, "--validation-split", 0.5, "--predictions", tmp_path / "p.jsonl",
        "--log", tmp_path / "log.jsonl", "--class-weights", "balanced", "--json",
    )  # fmt: skip
    report = summary_of(outcome.out)["validation"]
    rows = json_lines(tmp_path / "p.jsonl")
    names = sorted(counts)
    assert all(Path(row["key"]).parent.name == row["label"] for row in rows)
    labels = np.array([names.index(row["label"]) for row in rows])
    predicted = np.array([names.index(row["predicted"]) for row in rows])
    scores = np.array([row["scores"] for row in rows], np.float32)
    np.testing.assert_allclose(scores.sum(1), 1, atol=1e-5)
    np.testing.assert_array_equal(scores.argmax(1), predicted)

    confusion = np.zeros((len(names), len(names)), int)
    np.add.at(confusion, (labels, predicted), 1)
    np.testing.assert_array_equal(report["confusion"], confusion)
    assert report["accuracy"] == pytest.approx(np.mean(labels == predicted))
    areas = [area_by_pairs(scores[:, c], labels == c) for c in range(len(names))]
    assert report["auc"] == pytest.approx(areas[1] if len(names) == 2 else np.mean(areas), abs=1e-12)
    for c, entry in enumerate(report["classes"]):
        assert entry["name"] == names[c]
        assert entry["support"] == np.sum(labels == c)
        assert entry["recall"] == pytest.approx(confusion[c, c] / np.sum(labels == c))
        taken = np.sum(predicted == c)
        assert entry["precision"] == (None if taken == 0 else pytest.approx(confusion[c, c] / taken))
    last = events_of(tmp_path / "log.jsonl", "epoch")[-1]
    assert last["validation_auc"] == report["auc"]
    assert events_of(tmp_path / "log.jsonl", "end")[-1]["validation"] == report


def test_the_report_is_printed_for_people(bucketline: Command, folder: Path) -> None:
    out = bucketline.done("train", folder, *SMALL, "--epochs", 1, "--validation-split", 0.3).out
    assert "AUC" in out
    assert "bright: " in out and "recall" in out


def test_class_weights_change_the_loss_as_numpy_says(
    bucketline: Command, folder: Path, tmp_path: Path
) -> None:
    """The first step's loss: before any update, so the logits of both runs are the same."""
    losses = {}
    for name, weights in [("plain", ()), ("heavy", ("--class-weights", "dark=1,bright=1000000"))]:
        log = tmp_path / f"{name}.jsonl"
        bucketline.done(
            "train", folder, *SMALL, "--epochs", 1, "--seed", 3, "--threads", 1, "--log", log, *weights
        )
        losses[name] = events_of(log, "step")[0]["batch_loss"]
    assert losses["plain"] != losses["heavy"]
    equal = tmp_path / "equal.jsonl"
    bucketline.done(
        "train", folder, *SMALL, "--epochs", 1, "--seed", 3, "--threads", 1, "--log", equal,
        "--class-weights", "0=2.5,1=2.5",
    )  # fmt: skip
    assert events_of(equal, "step")[0]["batch_loss"] == pytest.approx(losses["plain"], rel=1e-6)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--warmup", "soon"), "soon"),
        (("--schedule", "sometimes"), "sometimes"),
        (("--schedule-every", "2epochs"), "--schedule step"),
        (("--schedule-end", "0.1"), "linear or cosine"),
        (("--class-weights", "heavy"), "class weights"),
        (("--label-smoothing", "1"), "label smoothing"),
        (("--early-stop", "0"), "--early-stop"),
        (("--device", "cpu", "--precision", "float16"), "float16"),
        (("--model", "resnet"), "resnet"),
    ],
)
def test_wrong_usage_is_named(
    bucketline: Command, folder: Path, arguments: tuple[str, ...], says: str
) -> None:
    outcome = bucketline.run("train", folder, *arguments)
    assert outcome.code == 2
    line, hint = outcome.err.strip().splitlines()
    assert says in line
    assert "--help" in hint


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--class-weights", "horse=2"), "horse"),
        (("--early-stop", "2"), "validation"),
        (("--epochs", "1", "--warmup", "8steps"), "warm-up"),
    ],
)
def test_what_the_data_cannot_give_is_named(
    bucketline: Command, folder: Path, arguments: tuple[str, ...], says: str
) -> None:
    outcome = bucketline.run("train", folder, *SMALL, *arguments)
    assert outcome.code == 1
    assert says in outcome.err
    assert len(outcome.err.strip().splitlines()) == 1
