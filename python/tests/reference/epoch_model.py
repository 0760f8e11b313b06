"""What a Loader promises, in plain Python: which record stands in which row of which rank's batch.

Written from the promises alone, with lists and big integers: an epoch is a list of records, a step takes the next
world x batch of what is left of it. Nothing here calls the engine.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_BITS = 2**64
_GOLDEN = 0x9E3779B97F4A7C15
_MIX_ROUND, _MIX_RECORD = 0x6D69782D726F756E, 0x6D69782D7265636F  # "mix-roun", "mix-reco"
_CLASS_ORDER, _CLASS_RECORD = 0x636C617373206F72, 0x7265636F72642073  # "class or", "record s"
_REPLACEMENT = 0x7265706C6163656D  # "replacem"
_WINDOW_SHARD, _WINDOW_RECORD = 0x77696E2D73686172, 0x77696E2D7265636F  # "win-shar", "win-reco"
_BLOCK = 64  # records that are objects of their own and count as one shard


def mix64(x: int) -> int:
    """SplitMix64's finaliser."""
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9 % _BITS
    x = (x ^ x >> 27) * 0x94D049BB133111EB % _BITS
    return x ^ x >> 31


def draws(seed: int, epoch: int, position: int) -> Iterator[int]:
    """The stream of 64-bit numbers that belongs to a sample."""
    key = mix64((seed + _GOLDEN) % _BITS)
    key = mix64(key ^ (epoch + _GOLDEN) % _BITS)
    key = mix64(key ^ (position + _GOLDEN) % _BITS)
    drawn = 0
    while True:
        drawn += 1
        yield mix64((key + _GOLDEN * drawn) % _BITS)


def shuffled(n: int, seed: int, epoch: int) -> list[int]:
    """The order of n records: six rounds over a grid of rows and columns; what falls outside walks on."""
    columns = 2 ** max(3, (n - 1).bit_length() // 2)
    rows = max(8, (n - 1) // columns + 1)
    stream = draws(seed, epoch, _BITS - 1 - n)
    keys = [next(stream) for _ in range(6)]

    def walk(x: int) -> int:
        row, column = divmod(x, columns)
        for even in (0, 2, 4):
            row = (row + (mix64(column ^ keys[even]) * rows >> 64)) % rows
            column ^= mix64(row ^ keys[even + 1]) % columns
        return row * columns + column

    order = []
    for position in range(n):
        x = walk(position)
        while x >= n:
            x = walk(x)
        order.append(x)
    return order


def shards_of(objects: Sequence[str | None]) -> list[list[int]]:
    """The records of each shard, by the object that each record is a part of; None: it is an object of its own."""
    shards: dict[object, list[int]] = {}
    alone = 0
    for record, name in enumerate(objects):
        shards.setdefault((alone // _BLOCK,) if name is None else name, []).append(record)
        alone += name is None
    return list(shards.values())


def windowed(shards: Sequence[Sequence[int]], window: int, seed: int, epoch: int) -> list[list[int]]:
    """The groups of an epoch, one after the other: a few shards whose records are shuffled among themselves."""
    order = [shards[i] for i in shuffled(len(shards), seed ^ _WINDOW_SHARD, epoch)]
    count = -(-len(order) // window)
    groups = []
    for group in range(count):
        together = order[group * len(order) // count : (group + 1) * len(order) // count]
        records = [record for shard in together for record in shard]
        key = (mix64(seed ^ _WINDOW_RECORD) + group) % _BITS
        groups.append([records[i] for i in shuffled(len(records), key, epoch)])
    return groups


def as_small_as_can_be(weights: Sequence[int]) -> list[int]:
    common = math.gcd(*weights)
    return [weight // common for weight in weights]


def temperature_weights(sizes: Sequence[int], temperature: float) -> list[int]:
    """Of a mix: whole numbers for shares in proportion to the roots of the sizes, of as few slots as make them precise."""
    if temperature == 1:
        return as_small_as_can_be(sizes)
    roots = [(size / max(sizes)) ** (1 / temperature) for size in sizes]
    slots = 1024
    while True:
        wanted = [root / sum(roots) * slots for root in roots]
        weights = [math.floor(share + 0.5) for share in wanted]
        if all(abs(w - share) <= 0.0049 * share for w, share in zip(weights, wanted, strict=True)):
            return as_small_as_can_be(weights)
        slots *= 2


@dataclass(frozen=True)
class Order:
    """The sequence of records of each epoch. sampling: "all" | "balanced" | "replacement" | "mix"."""

    records: int
    sampling: str = "all"
    shuffle: bool = False
    seed: int = 0
    epoch_size: int | None = None  # for "all" only when shuffled
    shards: tuple[tuple[int, ...], ...] = ()  # the records of each, for a window
    window: int = 0  # shards that are open at a time; 0: a shuffle of all
    labels: tuple[int, ...] = ()  # of each record, for "balanced"
    parts: tuple[tuple[int, int], ...] = ()  # records and weight of each dataset of a mix

    def epoch(self, number: int) -> list[int]:
        size = self.epoch_size or self.records
        if self.sampling == "all":
            if not self.shuffle:
                return list(range(self.records))
            in_one = self.records // size  # epochs that one order of all records has room for
            return self._whole(number // in_one)[number % in_one * size :][:size]
        return [getattr(self, f"_{self.sampling}")(number, position, size) for position in range(size)]

    def _whole(self, number: int) -> list[int]:
        if not self.window:
            return shuffled(self.records, self.seed, number)
        return [i for group in windowed(self.shards, self.window, self.seed, number) for i in group]

    def _replacement(self, epoch: int, position: int, _: int) -> int:
        return next(draws(mix64(self.seed ^ _REPLACEMENT), epoch, position)) * self.records >> 64

    def _balanced(self, epoch: int, position: int, size: int) -> int:
        """Rounds in which every class comes once; a class goes through its records in one order after another."""
        classes = sorted(set(self.labels))
        rounds = -(-size // len(classes))
        number = epoch * rounds + position // len(classes)
        chosen = shuffled(len(classes), self.seed ^ _CLASS_ORDER, number)[position % len(classes)]
        own = [record for record, label in enumerate(self.labels) if label == classes[chosen]]
        order = shuffled(len(own), (mix64(self.seed ^ _CLASS_RECORD) + chosen) % _BITS, number // len(own))
        return own[order[number % len(own)]]

    def _mix(self, epoch: int, position: int, size: int) -> int:
        """Rounds in which each dataset comes as often as its weight says."""
        slots = [(part, i) for part, (_, weight) in enumerate(self.parts) for i in range(weight)]
        number, within = divmod(epoch * size + position, len(slots))
        part, turn = slots[shuffled(len(slots), self.seed ^ _MIX_ROUND, number)[within]]
        records, weight = self.parts[part]
        passed, place = divmod(number * weight + turn, records)
        order = shuffled(records, (mix64(self.seed ^ _MIX_RECORD) + part + 1) % _BITS, passed)
        return sum(count for count, _ in self.parts[:part]) + order[place]


@dataclass(frozen=True)
class Row:
    record: int
    valid: bool = True


@dataclass(frozen=True)
class Step:
    position: int  # the first of the step
    next_position: int  # the first that no rank has after it
    ranks: tuple[tuple[Row, ...], ...]


def steps(order: Sequence[int], start: int, world: int, batch: int, last: str) -> list[Step]:
    """The steps from position `start` to the end of an epoch that is `order`, dealt to `world` ranks."""
    dealt = []
    rest = list(order[start:])
    while rest:
        position = len(order) - len(rest)
        now, rest = rest[: world * batch], rest[world * batch :]
        whole = len(now) == world * batch
        if not whole and last == "drop":
            break
        rows = [Row(record) for record in now]
        if whole:
            ranks = [rows[rank * batch :][:batch] for rank in range(world)]
        elif last == "pad":
            filled = rows + [Row(order[i % len(order)], False) for i in range(world * batch - len(rows))]
            ranks = [filled[rank * batch :][:batch] for rank in range(world)]
        else:
            ranks = _shared(rows, world, Row(order[0], False))
        after_next = len(rest) >= world * batch or (rest and last != "drop")
        dealt.append(
            Step(
                position,
                len(order) - len(rest) if after_next else len(order),
                tuple(tuple(rank) for rank in ranks),
            )
        )
    return dealt


def _shared(rows: list[Row], world: int, filler: Row) -> list[list[Row]]:
    """As evenly as possible, the first ranks one more; who gets none has one row that only fills up."""
    share, longer = divmod(len(rows), world)
    ranks, begin = [], 0
    for rank in range(world):
        end = begin + share + (rank < longer)
        ranks.append(rows[begin:end] or [filler])
        begin = end
    return ranks
