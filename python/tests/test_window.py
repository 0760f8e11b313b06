"""shuffle="window": a few shards at a time; and what `bucketline doctor --shuffle` measures of each order."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shards
from conftest import Command
from images import jpeg
from reference.epoch_model import Order, shards_of

import bucketline as bl

TARS, IN_TAR, CLASSES = 24, 20, 4
COUNT = TARS * IN_TAR
BATCH = 16


@pytest.fixture(scope="module")
def uri(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Tars of one class each, as people pack folders."""
    folder = tmp_path_factory.mktemp("window")
    image = jpeg(1, size=24)
    for number in range(TARS):
        label = str(number * CLASSES // TARS).encode()
        members: dict[str, bytes] = {}
        for i in range(IN_TAR):
            members |= {f"{i:02}.cls": label, f"{i:02}.jpg": image}
        (folder / f"{number:02}.tar").write_bytes(shards.tar(members))
    return str(folder / f"{{00..{TARS - 1}}}.tar")


@pytest.fixture(scope="module")
def dataset(uri: str) -> bl.Dataset:
    return bl.Dataset(uri, labels="cls")


def make(dataset: bl.Dataset, **options: Any) -> bl.Loader:
    return bl.Loader(dataset, **{"batch_size": BATCH, "distributed": False, **options})


def rows_of(loader: Any) -> list[int]:
    return [int(index) for batch in loader for index in batch.indices]


def model(seed: int, window: int) -> Order:
    groups = shards_of([f"{record // IN_TAR}" for record in range(COUNT)])
    shard_numbers = tuple(tuple(group) for group in groups)
    return Order(COUNT, shuffle=True, seed=seed, shards=shard_numbers, window=window)


@pytest.mark.parametrize(("given", "means"), [({}, 16), ({"window": 1}, 1), ({"window": 100}, 100)])
def test_epochs_are_those_of_the_model(dataset: bl.Dataset, given: dict[str, int], means: int) -> None:
    with make(dataset, shuffle="window", seed=7, **given) as loader:
        for epoch in range(2):
            assert rows_of(loader) == model(7, means).epoch(epoch)
        assert loader.state_dict()["window"] == means and loader.state_dict()["version"] == 3


def test_a_state_of_another_order_is_refused(dataset: bl.Dataset) -> None:
    with (
        make(dataset, shuffle="window", window=4) as narrow,
        make(dataset, shuffle="window", window=5) as wide,
        make(dataset, shuffle=True) as whole,
    ):
        for loader, state, says in (
            (narrow, wide.state_dict(), "its window is 5, the loader's 4"),
            (whole, wide.state_dict(), "its window is 5, the loader's 0"),
            (wide, whole.state_dict(), "its window is 0, the loader's 5"),
        ):
            with pytest.raises(bl.InvalidArgumentError, match=says):
                loader.load_state_dict(state)
        assert narrow._facts()["window"] == 4 and whole._facts()["window"] == 0, "ranks compare it"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"shuffle": "windows"}, "shuffle must be True, False or 'window'"),
        ({"shuffle": 1}, "shuffle must be True, False or 'window'"),
        ({"shuffle": True, "window": 3}, "window=3 is of shuffle='window'"),
        ({"window": 3}, "window=3 is of shuffle='window'"),
        ({"shuffle": "window", "window": 0}, "window must be from 1 to"),
        ({"shuffle": "window", "window": 2.5}, "window must be a whole number"),
        ({"shuffle": "window", "sampling": "balanced"}, "sampling balanced draws from all records"),
        ({"shuffle": "window", "sampling": "replacement"}, "sampling replacement draws from all records"),
        (
            {"shuffle": True, "epoch_size": COUNT + 1},
            f"epoch_size {COUNT + 1} is more than the {COUNT} records",
        ),
        ({"epoch_size": 3}, "epoch_size is for random orders"),
    ],
)
def test_options_that_do_not_fit_are_named(dataset: bl.Dataset, options: dict[str, Any], says: str) -> None:
    with pytest.raises(bl.InvalidArgumentError, match=says):
        make(dataset, **options)


def test_a_mix_has_no_window(dataset: bl.Dataset) -> None:
    with pytest.raises(bl.InvalidArgumentError, match="sampling mix draws from all records"):
        make(bl.mix([dataset, dataset], [1, 1]), shuffle="window")


@pytest.mark.parametrize("shuffle", [True, "window"])
def test_each_epoch_is_another_part(dataset: bl.Dataset, shuffle: bool | str) -> None:
    with make(dataset, shuffle=shuffle, epoch_size=160) as loader:
        assert len(loader) == 10
        passes = [[rows_of(loader) for _ in range(3)] for _ in range(2)]
    for epochs in passes:
        assert sorted(row for epoch in epochs for row in epoch) == list(range(COUNT))
    assert len({frozenset(epoch) for epochs in passes for epoch in epochs}) == 6


def test_frameworks_take_a_window(dataset: bl.Dataset) -> None:
    pytest.importorskip("torch")
    expected = model(0, 3).epoch(0)
    with bl.torch.Loader(dataset, BATCH, shuffle="window", window=3, distributed=False) as loader:
        assert rows_of(loader) == expected
    refused: list[Callable[[], object]] = [
        lambda: bl.torch.IterableDataset(dataset, BATCH, image=bl.Image(8), shuffle="window"),
        lambda: bl.torch.BatchSampler(bl.torch.MapDataset(dataset), BATCH, shuffle="window"),
    ]
    for made in refused:
        with pytest.raises(bl.UnsupportedError, match='shuffle="window" is of bucketline.torch.Loader'):
            made()


def test_tf_takes_a_window(dataset: bl.Dataset) -> None:
    pytest.importorskip("tensorflow")
    made = bl.tf.dataset(
        dataset, batch_size=BATCH, image=bl.Image(8), shuffle="window", window=3, distributed=False
    )
    labels = [int(label) for _, labels in made for label in labels]
    assert dataset.labels is not None
    assert labels == [int(dataset.labels[i]) for i in model(0, 3).epoch(0)]


# What doctor measures, computed by other means.


def figures(
    order: Sequence[int] | np.ndarray, shard_of: np.ndarray, labels: np.ndarray, batch: int
) -> dict[str, float]:
    places = np.asarray(order)
    n = len(places)
    together = shard_of[places[1:]] == shard_of[places[:-1]]
    classes = len(np.unique(labels))
    whole = n // batch * batch
    counts = (labels[places[:whole]].reshape(-1, batch, 1) == np.unique(labels)).sum(axis=1)
    expected = batch * np.bincount(labels) / n
    chi_squares = ((counts - expected) ** 2 / expected).sum(axis=1)
    return {
        "same_shard": float(together.mean()),
        "displacement": float(np.abs(places - np.arange(n)).mean() / n),
        "label_imbalance": float(chi_squares.mean() / ((classes - 1) * (n - batch) / (n - 1))),
    }


def judged(command: Command, *arguments: object) -> dict[str, Any]:
    report: dict[str, Any] = json.loads(command.done("doctor", "--shuffle", *arguments, "--json").out)
    return report


@pytest.mark.parametrize("window", [1, 4])
def test_doctor_measures_the_orders_that_loaders_give(
    bucketline: Command, uri: str, dataset: bl.Dataset, window: int
) -> None:
    report = judged(
        bucketline, uri, "--labels", "cls", "--window", window, "--batch-size", BATCH, "--seed", 5
    )
    assert (report["records"], report["shards"], report["classes"]) == (COUNT, TARS, CLASSES)
    assert report["batches"] == COUNT // BATCH
    orders = {}
    for name, options in (
        ("none", {"last": "drop"}),
        ("window", {"shuffle": "window", "window": window}),
        ("global", {"shuffle": True}),
    ):
        with make(dataset, seed=5, **options) as loader:
            orders[name] = rows_of(loader)
    shard_of = np.arange(COUNT) // IN_TAR
    labels = np.asarray(dataset.labels)
    for measured in report["orders"][:3]:
        expected = figures(orders[measured["order"]], shard_of, labels, BATCH)
        for name, value in expected.items():
            assert measured[name] == pytest.approx(value, rel=1e-9, abs=1e-12), (measured["order"], name)


def test_a_uniform_order_is_what_random_orders_are_on_average(
    bucketline: Command, uri: str, dataset: bl.Dataset
) -> None:
    uniform = judged(bucketline, uri, "--labels", "cls")["orders"][3]
    assert uniform["order"] == "uniform"
    random = np.random.default_rng(1)
    shard_of = np.arange(COUNT) // IN_TAR
    labels = np.asarray(dataset.labels)
    drawn = [figures(random.permutation(COUNT), shard_of, labels, 32) for _ in range(400)]
    for name in ("same_shard", "displacement", "label_imbalance"):
        values = np.array([one[name] for one in drawn])
        assert abs(values.mean() - uniform[name]) < 5 * values.std() / np.sqrt(len(values)), name


def test_the_verdict_says_what_to_do(bucketline: Command, uri: str) -> None:
    one = judged(bucketline, uri, "--labels", "cls", "--window", 1)
    assert "with a window of 1 shard the classes of a batch are" in one["verdict"]
    assert "shuffle all of them" in one["verdict"]
    assert "holds all 24 there are" in judged(bucketline, uri, "--window", 24)["verdict"]
    none = judged(bucketline, uri)
    assert "give --labels" in none["verdict"] and none["orders"][0]["label_imbalance"] is None
    text = bucketline.done("doctor", "--shuffle", uri, "--labels", "cls").out.splitlines()
    assert text[0] == "480 records in 24 shards, 4 classes; 15 batches of 32"
    assert [line.split()[0] for line in text[3:7]] == ["none", "window", "global", "uniform"]


def test_a_manifest_does_as_well(bucketline: Command, uri: str, dataset: bl.Dataset, tmp_path: Path) -> None:
    dataset.save(tmp_path / "data.manifest")
    saved = judged(bucketline, tmp_path / "data.manifest", "--window", 3)
    listed = judged(bucketline, uri, "--window", 3, "--labels", "cls")
    assert saved["classes"] == CLASSES and {**saved, "uri": uri} == listed


def test_options_of_the_shuffle_need_it(bucketline: Command, uri: str, tmp_path: Path) -> None:
    for option in ("--window", "--labels", "--batch-size"):
        outcome = bucketline.run("doctor", uri, option, "3")
        assert outcome.code == 2 and "--shuffle" in outcome.err, option
    assert bucketline.run("doctor", "--shuffle", uri, "--window", 0).code == 2
    (tmp_path / "empty").mkdir()
    outcome = bucketline.run("doctor", "--shuffle", tmp_path / "empty")
    assert outcome.code == 1 and str(tmp_path / "empty") in outcome.err


def test_bench_streams_a_window(bucketline: Command, uri: str) -> None:
    arguments = ("bench", uri, "--size", 16, "--json", "--window", 2)
    assert json.loads(bucketline.done(*arguments).out.splitlines()[-1])["images"] == COUNT
    outcome = bucketline.run(*arguments, "--no-shuffle")
    assert outcome.code == 1 and "window is a way to shuffle" in outcome.err
