"""bl.mix: datasets in the proportions of their weights."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import bucketline as bl

SIZES = {"a": 12, "b": 4, "c": 5}


@pytest.fixture(scope="module")
def datasets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bl.Dataset]:
    folder = tmp_path_factory.mktemp("mixed")
    for name, size in SIZES.items():
        (folder / name / name).mkdir(parents=True)
        for i in range(size):
            (folder / name / name / f"{i:02}.txt").write_bytes(f"{name}{i}".encode())
    return {name: bl.Dataset(folder / name, "folder", extensions=None) for name in SIZES}


def make(dataset: bl.Dataset, **options: Any) -> bl.Loader:
    return bl.Loader(dataset, **{"batch_size": 4, "distributed": False, **options})


def epoch_of(loader: bl.Loader) -> list[str]:
    return [data.decode() for datas, _ in loader for data in datas]


def test_batches_have_each_by_its_weight(datasets: dict[str, bl.Dataset]) -> None:
    mixed = bl.mix([datasets["a"], datasets["b"]], weights=[3, 1])
    assert len(mixed) == 16 and mixed.classes == ["a", "b"]
    with make(mixed, seed=3) as loader:
        assert len(loader) == 4
        for _ in range(3):
            batches = [[data.decode() for data in datas] for datas, _ in loader]
            assert all(Counter(text[0] for text in batch) == {"a": 3, "b": 1} for batch in batches)
            assert len({text for batch in batches for text in batch}) == 16, (
                "every record once before any again"
            )
        again = make(bl.mix([datasets["a"], datasets["b"]], weights=[0.75, 0.25]), seed=3)
        with again:
            assert epoch_of(again) == epoch_of(make(mixed, seed=3)), "the same proportions are the same mix"
        assert epoch_of(make(mixed, seed=4)) != epoch_of(make(mixed, seed=3))


def test_proportional_is_one_shuffle_of_all(datasets: dict[str, bl.Dataset]) -> None:
    mixed = bl.mix(list(datasets.values()), weights="proportional")
    with make(mixed, batch_size=21, seed=3) as loader:
        epochs = [epoch_of(loader) for _ in range(2)]
    for epoch in epochs:
        assert sorted(epoch) == sorted(f"{name}{i}" for name, size in SIZES.items() for i in range(size))
    assert epochs[0] != epochs[1]
    same = bl.mix(list(datasets.values()), temperature=1)
    with make(same, batch_size=21, seed=3) as loader:
        assert epoch_of(loader) == epochs[0]


@pytest.mark.parametrize("temperature", [0.5, 1.7, 2, 5, 1e6])
def test_a_temperature_is_a_root_of_the_sizes(datasets: dict[str, bl.Dataset], temperature: float) -> None:
    mixed = bl.mix(list(datasets.values()), temperature=temperature)
    rows = 20000
    with make(mixed, batch_size=1000, epoch_size=rows) as loader:
        seen = Counter(text[0] for text in epoch_of(loader))
    roots = {name: size ** (1 / temperature) for name, size in SIZES.items()}
    for name, root in roots.items():
        share = root / sum(roots.values())
        # 1 % of what it should be, and what the end of a round leaves to chance.
        assert seen[name] == pytest.approx(rows * share, rel=0.01, abs=3 * (1024 * share) ** 0.5)


def test_counts_are_exact_in_every_epoch(datasets: dict[str, bl.Dataset]) -> None:
    mixed = bl.mix([datasets["a"], datasets["b"]], counts=[10, 4])
    with make(mixed, batch_size=7, seed=1) as loader:
        assert len(loader) == 2
        epochs = [epoch_of(loader) for _ in range(6)]
    for epoch in epochs:
        assert Counter(text[0] for text in epoch) == {"a": 10, "b": 4}
        assert {text for text in epoch if text[0] == "b"} == {f"b{i}" for i in range(4)}
    seen = Counter(text for epoch in epochs for text in epoch)
    assert {seen[f"a{i}"] for i in range(12)} == {5}, "60 of 12: none comes again before the others have come"
    with make(mixed, batch_size=7, epoch_size=14, seed=1) as loader:
        assert epoch_of(loader) == epochs[0], "the same length may be said"
    with pytest.raises(bl.InvalidArgumentError, match="make epochs of 14 rows: leave epoch_size=15 out"):
        make(mixed, epoch_size=15)


def test_a_small_one_begins_anew(datasets: dict[str, bl.Dataset]) -> None:
    mixed = bl.mix([datasets["b"], datasets["c"]], weights=[5, 1])
    with make(mixed, batch_size=6, epoch_size=60) as loader:
        seen = Counter(epoch_of(loader))
    assert {seen[f"c{i}"] for i in range(5)} == {2} and sum(seen[f"b{i}"] for i in range(4)) == 50
    assert {seen[f"b{i}"] for i in range(4)} == {12, 13}


def test_labels_and_facts_are_those_of_the_records(datasets: dict[str, bl.Dataset]) -> None:
    mixed = bl.mix(list(datasets.values()), weights=[1, 1, 1])
    with make(mixed, batch_size=3) as loader:
        for batch in loader:
            texts = [data.decode() for data in batch.images]
            assert [mixed.classes[label] for label in batch.labels] == [text[0] for text in texts]
            assert [mixed[int(index)].data.decode() for index in batch.indices] == texts


def test_it_resumes_anywhere_on_any_number_of_ranks(datasets: dict[str, bl.Dataset]) -> None:
    mixed = bl.mix(list(datasets.values()), weights=[2, 1, 1])
    options: dict[str, Any] = {"epoch_size": 24, "seed": 9}
    with make(mixed, **options) as loader:
        expected = [epoch_of(loader) for _ in range(2)]
    with make(mixed, **options) as loader:
        iterator = iter(loader)
        next(iterator)
        state = loader.state_dict()
    assert state["sampling"] == "mix"
    rest = []
    for rank in range(2):
        with make(mixed, batch_size=2, rank=rank, world_size=2, **options) as loader:
            loader.load_state_dict(state)
            rest.append([[data.decode() for data in datas] for datas, _ in loader])
    dealt = [text for pair in zip(*rest, strict=True) for batch in pair for text in batch]
    assert dealt == expected[0][4:]
    other = bl.mix(list(datasets.values()), weights=[1, 1, 1])
    with make(other, **options) as loader, pytest.raises(bl.InvalidArgumentError, match="with other weights"):
        loader.load_state_dict(state)


def test_the_same_dataset_may_come_twice(datasets: dict[str, bl.Dataset]) -> None:
    with make(bl.mix([datasets["b"], datasets["b"]], weights=[1, 1])) as loader:
        assert Counter(epoch_of(loader)) == dict.fromkeys([f"b{i}" for i in range(4)], 2)


def test_frameworks_take_a_mix(datasets: dict[str, bl.Dataset]) -> None:
    pytest.importorskip("torch")
    mixed = bl.mix([datasets["a"], datasets["b"]], weights=[3, 1])
    with bl.torch.Loader(mixed, 4, distributed=False) as loader:
        assert [len(labels[labels == 1]) for _, labels in loader] == [1] * 4
    for make_one in (bl.torch.MapDataset, bl.torch.IterableDataset):
        with pytest.raises(bl.UnsupportedError, match="give a mix to bucketline.torch.Loader"):
            make_one(mixed)


def test_what_does_not_fit_says_why(datasets: dict[str, bl.Dataset], tmp_path: Path) -> None:
    both = [datasets["a"], datasets["b"]]
    wrong: list[tuple[list[float], str]] = [
        ([1], "one number a dataset: there are 2"),
        ([1, 2, 3], "one number a dataset: there are 2"),
        ([0, 1], "weights must be above 0"),
        ([0, 0.0], "weights sum to zero"),
        ([], "one number a dataset: there are 2"),
        ([-1, 1], "a weight must be from 0 to"),
        ([float("nan"), 1], "a weight must be from 0 to"),
        ([float("inf"), 1], "a weight must be from 0 to"),
    ]
    for weights, says in wrong:
        with pytest.raises(bl.InvalidArgumentError, match=says):
            bl.mix(both, weights)
    for temperature in (0, -1, float("nan"), float("inf")):
        with pytest.raises(bl.InvalidArgumentError, match="temperature of a mix is a finite number above 0"):
            bl.mix(both, temperature=temperature)
    with pytest.raises(bl.InvalidArgumentError, match="the share of part 1 of the mix"):
        bl.mix(both, temperature=0.01)
    counts: list[tuple[list[Any], str]] = [
        ([1], "counts must hold one number a dataset: there are 2"),
        ([0, 1], "counts must be above 0"),
        ([0, 0], "counts sum to zero"),
        ([-1, 1], "a count must be from 0 to"),
        ([1.5, 1], "a count must be a whole number"),
    ]
    for asked, says in counts:
        with pytest.raises(bl.InvalidArgumentError, match=says):
            bl.mix(both, counts=asked)
    several: list[tuple[dict[str, Any], str]] = [
        ({}, "not none of them"),
        ({"weights": [1, 1], "counts": [1, 1]}, "not weights and counts"),
        ({"weights": "by size"}, "weights must be one of 'proportional'"),
        ({"temperature": "hot"}, "temperature must be a number"),
        ({"temperature": True}, "temperature must be a number"),
    ]
    for options, says in several:
        with pytest.raises(bl.InvalidArgumentError, match=says):
            bl.mix(both, **options)
    with pytest.raises(bl.InvalidArgumentError, match="together at most 4294967296"):
        make(bl.mix(both, [1e-12, 1]))
    with pytest.raises(bl.InvalidArgumentError, match="has no records that could be mixed in"):
        bl.mix([datasets["a"], datasets["b"][:0]], [1, 1])
    with pytest.raises(bl.InvalidArgumentError, match="concat and mix take a list of Datasets"):
        bl.mix([], [])
    mixed = bl.mix(both, [1, 1])
    for sampling in ("balanced", "replacement"):
        with pytest.raises(bl.InvalidArgumentError, match=f"give no sampling='{sampling}'"):
            make(mixed, sampling=sampling)
    for view in (
        lambda: mixed[2:4],
        lambda: mixed.filter(lambda key: True),
        lambda: mixed.select([1]),
        lambda: mixed.without([]),
        lambda: mixed.split(0.5),
    ):
        with pytest.raises(bl.UnsupportedError, match="before they are mixed"):
            view()
    with pytest.raises(bl.UnsupportedError, match="give all datasets and their weights to one mix"):
        bl.concat([mixed, datasets["c"]])
    with pytest.raises(bl.UnsupportedError, match="save the datasets before they are mixed"):
        mixed.save(tmp_path / "mixed.manifest")
