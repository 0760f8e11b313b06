"""The fsspec file system, by fsspec's own helpers and by pandas."""

from __future__ import annotations

import io
import pickle
from datetime import datetime
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import fsspec
import pandas
import pytest
from bucketline.filesystem import BucketlineFileSystem
from conftest import ROOT, Endpoint

import bucketline as bl

fsspec.register_implementation("bucketline", BucketlineFileSystem, clobber=True)


@pytest.fixture
def folder(bucket_url: str) -> str:
    """ "bucket" with a few objects."""
    for key in ("a.txt", "data/1.csv", "data/2.csv", "data/deep/3.csv", "data.txt"):
        bl.put(bucket_url + key, key.encode())
    return bucket_url[5:-1]


@pytest.fixture
def fs() -> Any:
    return fsspec.filesystem("bucketline", skip_instance_cache=True)


def test_the_entry_point_names_the_class() -> None:
    found = [each for each in entry_points(group="fsspec.specs") if each.name == "bucketline"]
    text = (ROOT / "pyproject.toml").read_text()
    value = f"{BucketlineFileSystem.__module__}:{BucketlineFileSystem.__name__}"
    assert f'[project.entry-points."fsspec.specs"]\nbucketline = "{value}"' in text
    assert all(each.value == value for each in found)  # none where the package runs from its sources


def test_ls_and_info(fs: Any, folder: str) -> None:
    assert fs.ls(folder, detail=False) == [f"{folder}/{name}" for name in ("a.txt", "data.txt", "data")]
    assert fs.ls(f"bucketline://{folder}/data/", detail=False) == [
        f"{folder}/data/{name}" for name in ("1.csv", "2.csv", "deep")
    ]
    assert [entry["name"] for entry in fs.ls(f"{folder}/a.txt")] == [f"{folder}/a.txt"]
    info = fs.info(f"bucketline://{folder}/a.txt")
    assert (info["type"], info["size"], info["name"]) == ("file", 5, f"{folder}/a.txt") and info["ETag"]
    assert fs.info(f"{folder}/data")["type"] == "directory"
    assert fs.info(folder)["type"] == "directory"
    assert fs.isfile(f"{folder}/a.txt") and fs.isdir(f"{folder}/data") and not fs.isdir(f"{folder}/a.txt")
    assert isinstance(fs.modified(f"{folder}/a.txt"), datetime)
    assert (
        fs.exists(f"{folder}/a.txt") and not fs.exists(f"{folder}/b.txt") and not fs.exists(f"{folder}/dat")
    )
    for path in (f"{folder}/nothing", f"{folder}/dat", "no-such-bucket-here"):
        with pytest.raises(FileNotFoundError):
            fs.info(path)
        with pytest.raises(FileNotFoundError):
            fs.ls(path)


def test_find_walk_and_glob(fs: Any, folder: str) -> None:
    assert fs.find(f"{folder}/data") == [f"{folder}/data/{name}" for name in ("1.csv", "2.csv", "deep/3.csv")]
    assert fs.find(f"{folder}/a.txt") == [f"{folder}/a.txt"] and fs.find(f"{folder}/nothing") == []
    assert fs.find(f"{folder}/data", maxdepth=1) == [f"{folder}/data/1.csv", f"{folder}/data/2.csv"]
    assert fs.glob(f"{folder}/data/*.csv") == [f"{folder}/data/1.csv", f"{folder}/data/2.csv"]
    assert len(fs.glob(f"{folder}/**/*.csv")) == 3
    assert [(len(folders), len(files)) for _, folders, files in fs.walk(folder)] == [(1, 2), (1, 2), (0, 1)]
    assert fs.du(folder) == sum(
        len(name) for name in ("a.txt", "data/1.csv", "data/2.csv", "data/deep/3.csv", "data.txt")
    )


def test_cat_whole_and_in_parts(fs: Any, folder: str) -> None:
    assert fs.cat(f"{folder}/a.txt") == b"a.txt"
    assert fs.cat_file(f"{folder}/a.txt", 1, 3) == b".t"
    assert fs.cat_file(f"{folder}/a.txt", -3) == b"txt"
    assert fs.cat_file(f"{folder}/a.txt", end=-3) == b"a."
    assert fs.cat_file(f"{folder}/a.txt", 2, 100) == b"txt"
    assert fs.cat_file(f"{folder}/a.txt", 7, 9) == b""
    assert fs.cat(f"{folder}/data/*.csv") == {
        f"{folder}/data/{i}.csv": f"data/{i}.csv".encode() for i in (1, 2)
    }
    assert fs.head(f"{folder}/a.txt", 2) == b"a." and fs.tail(f"{folder}/a.txt", 2) == b"xt"


def test_pipe_copy_move_and_remove(fs: Any, folder: str) -> None:
    fs.pipe(f"{folder}/new/x", b"123")
    assert bl.get(f"s3://{folder}/new/x") == b"123"
    with pytest.raises(FileExistsError):
        fs.pipe_file(f"{folder}/new/x", b"4", mode="create")
    fs.cp(f"{folder}/new/x", f"{folder}/new/y")
    assert fs.cat(f"{folder}/new/y") == b"123"
    fs.mv(f"{folder}/new/y", f"{folder}/new/z")
    assert fs.ls(f"{folder}/new", detail=False) == [f"{folder}/new/x", f"{folder}/new/z"]
    fs.rm(f"{folder}/new/z")
    fs.rm(f"{folder}/data", recursive=True)
    assert fs.find(folder) == [f"{folder}/{name}" for name in ("a.txt", "data.txt", "new/x")]
    fs.touch(f"{folder}/empty")
    assert fs.size(f"{folder}/empty") == 0
    fs.makedirs(f"{folder}/anything/at/all", exist_ok=True)


def test_put_and_get_of_files_and_folders(fs: Any, folder: str, tmp_path: Path) -> None:
    (tmp_path / "up/sub").mkdir(parents=True)
    (tmp_path / "up/one").write_bytes(b"1" * 1000)
    (tmp_path / "up/sub/two").write_bytes(b"2")
    fs.put(f"{tmp_path}/up/", f"{folder}/up/", recursive=True)
    assert fs.find(f"{folder}/up") == [f"{folder}/up/one", f"{folder}/up/sub/two"]
    fs.get(f"{folder}/up/", f"{tmp_path}/down/", recursive=True)
    assert (tmp_path / "down/sub/two").read_bytes() == b"2"
    fs.get(f"{folder}/up/one", f"{tmp_path}/one")
    assert (tmp_path / "one").read_bytes() == b"1" * 1000


def test_open_reads_and_writes(fs: Any, folder: str) -> None:
    with fsspec.open(f"bucketline://{folder}/new.txt", "w") as file:
        file.write("Zürich")
    with fsspec.open(f"bucketline://{folder}/new.txt", "r") as file:
        assert file.read() == "Zürich"
    with pytest.raises(ZeroDivisionError), fs.open(f"{folder}/half", "wb") as file:
        file.write(b"x")
        raise ZeroDivisionError
    assert not fs.exists(f"{folder}/half")
    files = fsspec.open_files(f"bucketline://{folder}/data/*.csv")
    assert [each.open().read() for each in files] == [b"data/1.csv", b"data/2.csv"]
    with pytest.raises(bl.UnsupportedError), fs.transaction:
        fs.open(f"{folder}/t", "wb")


def test_compression_and_caching_layers(folder: str, tmp_path: Path) -> None:
    with fsspec.open(f"bucketline://{folder}/x.gz", "wt", compression="gzip") as file:
        file.write("x" * 10_000)
    with fsspec.open(f"bucketline://{folder}/x.gz", "rt", compression="gzip") as file:
        assert file.read() == "x" * 10_000
    with fsspec.open(
        f"simplecache::bucketline://{folder}/a.txt", simplecache={"cache_storage": str(tmp_path)}
    ) as file:
        assert file.read() == b"a.txt"


def test_pandas_reads_and_writes(folder: str, reached: Endpoint) -> None:
    table = pandas.DataFrame({"file": ["a", "ü"], "label": [0, 1]})
    table.to_csv(f"bucketline://{folder}/t.csv", index=False)
    options = {"endpoint_url": reached.url, "region": reached.region}
    assert pandas.read_csv(f"bucketline://{folder}/t.csv", storage_options=options).equals(table)
    assert pandas.read_csv(io.BytesIO(bl.get(f"s3://{folder}/t.csv"))).equals(table)


def test_options_are_checked_and_travel(folder: str, reached: Endpoint) -> None:
    with pytest.raises(TypeError, match="did you mean 'endpoint_url'"):
        fsspec.filesystem("bucketline", endpoint_uri="x")
    with pytest.raises(bl.InvalidArgumentError, match="anonymous must be"):
        fsspec.filesystem("bucketline", anonymous="yes")
    fs = pickle.loads(pickle.dumps(fsspec.filesystem("bucketline", endpoint_url=reached.url)))
    assert fs.cat(f"{folder}/a.txt") == b"a.txt" and fs.unstrip_protocol("b/k") == "bucketline://b/k"
