"""A server that lies, and data that changes, in mid-run: exact bytes or one clear line, nothing mixed or hanging."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import DEADLINE_SECONDS, Command, Outcome
from images import jpeg, labelled_objects
from scripted_bucket import Answer, Read, ScriptedBucket, error, serve
from test_cli_errors import assert_one_line

LARGE = bytes(range(256)) * (20 << 12)  # 20 MiB: read in ranges
FEW = ("--max-attempts", 2)


@pytest.fixture
def scripted() -> Iterator[ScriptedBucket]:
    with serve(
        ScriptedBucket({f"images/{key}": data for key, data in labelled_objects(8).items()})
    ) as bucket:
        yield bucket


def bench(bucketline: Command, bucket: ScriptedBucket, *more: object) -> Outcome:
    # --on-error mask: what a server does is no fault of a sample, and never masked.
    command = bucketline.with_environment(bucket.environment())
    return command.run("bench", "s3://data/images/", "--batch-size", 2, "--on-error", "mask", *FEW, *more)


def refused(outcome: Outcome, *says: str) -> None:
    assert outcome.code == 1, outcome.err
    assert_one_line(outcome.err, "s3://data/", *says)
    assert outcome.seconds < 60


def longer(answer: Answer) -> Answer:
    return replace(answer, body=answer.body + b"more")


def shorter(answer: Answer) -> Answer:
    return replace(answer, body=answer.body[:-4])


def cut(answer: Answer) -> Answer:
    return replace(
        answer,
        body=answer.body[:-4],
        headers={**answer.headers, "Content-Length": str(len(answer.body))},
    )


def nothing(answer: Answer) -> Answer:
    return replace(answer, body=b"")


def html(_: Answer) -> Answer:
    return Answer(200, b"<html>Please log in</html>", {"Content-Type": "text/html"})


def moved(_: Answer) -> Answer:
    return Answer(301, b"", {"Location": "http://elsewhere.test/"})


def of_another_state(answer: Answer) -> Answer:
    return replace(answer, headers={**answer.headers, "ETag": '"another"'})


LIES: list[tuple[Callable[[Answer], Answer], str]] = [
    (longer, "bytes"),
    (shorter, "bytes"),
    (cut, "bytes"),
    (nothing, "bytes"),
    (html, "proxy"),
    (moved, "set the region"),
    (of_another_state, "changed"),
]


@pytest.mark.parametrize(("lie", "says"), LIES, ids=lambda value: getattr(value, "__name__", ""))
def test_an_answer_that_is_always_wrong_is_one_clear_line(
    bucketline: Command, scripted: ScriptedBucket, lie: Callable[[Answer], Answer], says: str
) -> None:
    scripted.on_read = lambda read: lie(read.honest) if read.number > 5 else read.honest
    refused(bench(bucketline, scripted, "--epochs", 3), says)


@pytest.mark.parametrize("lie", [longer, shorter, cut, nothing])
def test_an_answer_that_is_wrong_once_is_asked_for_again(
    bucketline: Command, scripted: ScriptedBucket, tmp_path: Path, lie: Callable[[Answer], Answer]
) -> None:
    scripted.objects = {"large.bin": LARGE}
    scripted.on_read = lambda read: lie(read.honest) if read.number in (1, 3) else read.honest
    command = bucketline.with_environment(scripted.environment())
    command.done("get", "s3://data/", "--to", tmp_path)
    assert scripted.reads == 5
    assert (tmp_path / "large.bin").read_bytes() == LARGE


def test_a_server_that_falls_silent_does_not_outlive_the_deadline(
    bucketline: Command, scripted: ScriptedBucket
) -> None:
    over = threading.Event()

    def read(read: Read) -> Answer:
        if read.number > 5:
            over.wait(DEADLINE_SECONDS)
        return read.honest

    scripted.on_read = read
    outcome = bench(bucketline, scripted, "--epochs", 3, "--deadline", "2s")
    over.set()
    refused(outcome, "deadline of 2 s")
    assert outcome.seconds < 60


def test_a_server_that_ignores_ranges_is_named(
    bucketline: Command, scripted: ScriptedBucket, tmp_path: Path
) -> None:
    scripted.objects = {"large.bin": LARGE}
    scripted.on_read = lambda read: Answer(200, LARGE, {"ETag": read.honest.headers["ETag"]})
    command = bucketline.with_environment(scripted.environment())
    outcome = command.run("get", "s3://data/", "--to", tmp_path, *FEW)
    assert outcome.code == 1
    assert "s3://data/large.bin" in outcome.err
    assert "ignores range" in outcome.err.lower()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("replaced", [True, False])
def test_an_object_that_changes_during_the_epoch(
    bucketline: Command, scripted: ScriptedBucket, replaced: bool
) -> None:
    key = "images/dark/0002.jpg"

    def read(read: Read) -> Answer:
        if read.number == 20 and replaced:
            scripted.objects[key] = jpeg(99)
        elif read.number == 20:
            del scripted.objects[key]
        return read.honest

    scripted.on_read = read
    outcome = bench(bucketline, scripted, "--epochs", 1000)
    refused(outcome, key, "changed since it was listed" if replaced else "no such object", "list again")
    assert scripted.reads >= 20


LISTINGS: dict[str, tuple[Answer, str]] = {
    "cut": (Answer(200, b"<ListBucketResult><Contents><Key>a.jpg</Key><Si"), "XML"),
    "empty": (Answer(200, b""), "XML"),
    "other": (Answer(200, b"<Surprise/>"), "ListBucketResult"),
    "no size": (
        Answer(200, b"<ListBucketResult><Contents><Key>a.jpg</Key></Contents></ListBucketResult>"),
        "Size",
    ),
    "moved": (Answer(301, b"", {"Location": "http://elsewhere.test/"}), "set the region"),
    "html": (html(Answer(200)), "proxy"),
}


@pytest.mark.parametrize(("answer", "says"), LISTINGS.values(), ids=LISTINGS.keys())
def test_a_listing_that_is_none(
    bucketline: Command, scripted: ScriptedBucket, answer: Answer, says: str
) -> None:
    scripted.on_list = lambda _: answer
    refused(bench(bucketline, scripted), says)
    assert scripted.reads == 0


def test_an_object_without_end_costs_no_memory(bucketline: Command, scripted: ScriptedBucket) -> None:
    """5 TiB by the listing: the budget is asked before the server is."""
    huge = b"<Contents><Key>images/z.jpg</Key><Size>5497558138880</Size><ETag>&quot;e&quot;</ETag></Contents>"
    scripted.on_list = lambda honest: replace(
        honest, body=honest.body.replace(b"</ListBucketResult>", huge + b"</ListBucketResult>")
    )
    refused(bench(bucketline, scripted), "s3://data/images/", "z.jpg", "TiB")
    assert scripted.reads == 0


def write_keys(home: Path, name: str) -> None:
    text = f"[default]\naws_access_key_id={name}\naws_secret_access_key=s\naws_session_token=t\n"
    fresh = home / f"credentials.{threading.get_ident()}"  # several answers may renew at a time
    fresh.write_text(text)
    fresh.replace(home / "credentials")


@pytest.mark.parametrize("renewed", [True, False])
def test_a_token_that_expires_in_mid_epoch(
    bucketline: Command, scripted: ScriptedBucket, tmp_path: Path, renewed: bool
) -> None:
    write_keys(tmp_path, "OLD")

    def read(read: Read) -> Answer:
        if read.number < 20 or read.access_key_id == "NEW":
            return read.honest
        if renewed:
            write_keys(tmp_path, "NEW")
        return error(400, "ExpiredToken", "The provided token has expired.")

    scripted.on_read = read
    command = Command(bucketline.binary, tmp_path, {"AWS_ENDPOINT_URL_S3": scripted.url})
    outcome = command.run("bench", "s3://data/images/", "--batch-size", 2, "--epochs", 10, "--json")
    if renewed:
        assert outcome.code == 0, outcome.err
        assert '"images":80' in outcome.out.replace(" ", "")
    else:
        refused(outcome, "expired", "new")
