"""A small S3 server that asks for no signature and lies as the test tells it."""

from __future__ import annotations

import hashlib
import re
import threading
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, urlsplit

from http_server import HttpServer

Headers = dict[str, str]
KEYS = {"AWS_ACCESS_KEY_ID": "scripted", "AWS_SECRET_ACCESS_KEY": "scripted", "AWS_REGION": "us-east-1"}


@dataclass
class Answer:
    """What goes out. `Content-Length` in `headers` may announce more or less than `body` has."""

    status: int
    body: bytes = b""
    headers: Headers = field(default_factory=dict)


@dataclass
class Read:
    """A GET of an object, and what an honest server answers."""

    number: int  # 1 for the first GET of an object, whichever it is
    key: str
    access_key_id: str
    honest: Answer


def error(status: int, code: str, message: str = "no") -> Answer:
    return Answer(status, f"<Error><Code>{code}</Code><Message>{message}</Message></Error>".encode())


def etag(data: bytes) -> str:
    return f'"{hashlib.md5(data, usedforsecurity=False).hexdigest()}"'


def listing(objects: dict[str, bytes]) -> Answer:
    rows = "".join(
        f"<Contents><Key>{key}</Key><Size>{len(data)}</Size><ETag>{etag(data)}</ETag></Contents>"
        for key, data in sorted(objects.items())
    )
    return Answer(
        200, f"<ListBucketResult><IsTruncated>false</IsTruncated>{rows}</ListBucketResult>".encode()
    )


def honest(data: bytes, wanted: str) -> Answer:
    """Range and all."""
    headers = {"ETag": etag(data)}
    if not (found := re.fullmatch(r"bytes=(\d+)-(\d*)", wanted)):
        return Answer(200, data, headers)
    first, last = int(found[1]), min(int(found[2] or len(data)), len(data) - 1)
    return Answer(
        206, data[first : last + 1], {**headers, "Content-Range": f"bytes {first}-{last}/{len(data)}"}
    )


@dataclass
class ScriptedBucket:
    """Every bucket there is, each with the same objects."""

    objects: dict[str, bytes]
    on_list: Callable[[Answer], Answer] = lambda honest: honest
    on_read: Callable[[Read], Answer] = lambda read: read.honest
    url: str = ""
    reads: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, path: str, headers: Headers) -> Answer:
        _, _, key = path.partition("?")[0].lstrip("/").partition("/")
        if not key:
            return self.on_list(listing(self.objects))
        data = self.objects.get(key)
        if data is None:
            return error(404, "NoSuchKey")
        if headers.get("if-match", etag(data)) != etag(data):
            return error(412, "PreconditionFailed")
        signer = re.search(r"Credential=([^/]*)/", headers.get("authorization", ""))
        with self.lock:
            self.reads += 1
            number = self.reads
        answer = honest(data, headers.get("range", ""))
        return self.on_read(Read(number, key, signer[1] if signer else "", answer))

    def environment(self) -> dict[str, str]:
        return {"AWS_ENDPOINT_URL_S3": self.url, **KEYS}


@dataclass
class ManyKeys(ScriptedBucket):
    """Every bucket there is, each with these keys of one byte, a page of 1,000 at a time. No folders are told."""

    keys: list[str] = field(default_factory=list)  # sorted

    def answer(self, path: str, headers: Headers) -> Answer:
        query = {name: values[0] for name, values in parse_qs(urlsplit(path).query).items()}
        if "delimiter" in query:
            return error(501, "NotImplemented")
        after = query.get("continuation-token") or query.get("start-after", "")
        first = max(bisect_right(self.keys, after), bisect_left(self.keys, query.get("prefix", "")))
        page = self.keys[first : first + 1000]
        rows = "".join(
            f"<Contents><Key>{key}</Key><Size>1</Size><ETag>&quot;e&quot;</ETag></Contents>" for key in page
        )
        more = first + 1000 < len(self.keys)
        token = f"<NextContinuationToken>{page[-1]}</NextContinuationToken>" if more else ""
        body = f"<ListBucketResult><IsTruncated>{str(more).lower()}</IsTruncated>{token}{rows}</ListBucketResult>"
        return Answer(200, body.encode())


@contextmanager
def serve(bucket: ScriptedBucket) -> Iterator[ScriptedBucket]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:  # noqa: N802
            answer = bucket.answer(self.path, {name.lower(): value for name, value in self.headers.items()})
            self.send_response(answer.status)
            for name, value in {"Content-Length": str(len(answer.body)), **answer.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(answer.body)
            # A body of another length than announced: only the end of the connection tells.
            self.close_connection = answer.headers.get("Content-Length", "") != ""

        do_HEAD = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            return

    with HttpServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        bucket.url = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            yield bucket
        finally:
            server.shutdown()
            thread.join()
