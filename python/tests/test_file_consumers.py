"""What people give files to takes those of bl.open."""

from __future__ import annotations

import csv
import gzip
import io
import pickle
import shutil
import tarfile
import zipfile
from typing import Any

import numpy as np
import pandas
import pytest
from images import jpeg
from PIL import Image

import bucketline as bl

ARRAY = np.arange(600_000, dtype=np.float32).reshape(300, 2000)


def test_numpy_arrays(bucket_url: str) -> None:
    with bl.open(bucket_url + "a.npy", "wb") as file:
        np.save(file, ARRAY)
    with bl.open(bucket_url + "a.npy") as file:
        assert np.array_equal(np.load(file), ARRAY)
    with bl.open(bucket_url + "a.npz", "wb") as file:
        np.savez(file, x=ARRAY, y=ARRAY[0])
    with bl.open(bucket_url + "a.npz") as file, np.load(file) as arrays:
        assert np.array_equal(arrays["x"], ARRAY) and np.array_equal(arrays["y"], ARRAY[0])


def test_numpy_says_that_an_object_is_no_memory(bucket_url: str) -> None:
    with bl.open(bucket_url + "a.npy", "wb") as file:
        np.save(file, ARRAY)
    with bl.open(bucket_url + "a.npy") as file, pytest.raises((ValueError, TypeError)):
        np.load(file, mmap_mode="r")


def test_torch_checkpoints(bucket_url: str) -> None:
    torch = pytest.importorskip("torch")
    state = {"weights": torch.arange(500_000.0), "step": 7}
    with bl.open(bucket_url + "model.pt", "wb") as file:
        torch.save(state, file)
    with bl.open(bucket_url + "model.pt") as file:
        loaded = torch.load(file, weights_only=True)
    assert torch.equal(loaded["weights"], state["weights"]) and loaded["step"] == 7


def test_zip_files(bucket_url: str) -> None:
    with (
        bl.open(bucket_url + "a.zip", "wb") as file,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as zipped,
    ):
        zipped.writestr("one.txt", "1" * 1000)
        zipped.writestr("two.bin", ARRAY.tobytes())
    with bl.open(bucket_url + "a.zip") as file, zipfile.ZipFile(file) as zipped:
        assert zipped.testzip() is None and zipped.namelist() == ["one.txt", "two.bin"]
        assert zipped.read("two.bin") == ARRAY.tobytes()


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_tar_files(bucket_url: str, mode: Any) -> None:
    with (
        bl.open(bucket_url + "a.tar", "wb") as file,
        tarfile.open(fileobj=file, mode=mode) as tar,
    ):
        for name in ("x", "y"):
            member = tarfile.TarInfo(name)
            member.size = 100_000
            tar.addfile(member, io.BytesIO(name.encode() * 100_000))
    with bl.open(bucket_url + "a.tar") as file, tarfile.open(fileobj=file) as tar:
        assert tar.getnames() == ["x", "y"]
        member_file = tar.extractfile("y")
        assert member_file and member_file.read() == b"y" * 100_000


def test_an_archive_that_fails_half_way_is_no_object(bucket_url: str) -> None:
    with (
        pytest.raises(ZeroDivisionError),
        bl.open(bucket_url + "a.zip", "wb") as file,
        zipfile.ZipFile(file, "w") as zipped,
    ):
        zipped.writestr("one.txt", "1")
        raise ZeroDivisionError
    assert not bl.exists(bucket_url + "a.zip")


def test_pandas_tables(bucket_url: str) -> None:
    table = pandas.DataFrame({"file": ["a.jpg", "ü.jpg"], "label": [0, 1]})
    with bl.open(bucket_url + "t.csv", "w") as file:
        table.to_csv(file, index=False)
    with bl.open(bucket_url + "t.csv") as file:
        assert pandas.read_csv(file).equals(table)
    with bl.open(bucket_url + "t.csv", "r") as file:
        assert pandas.read_csv(file).equals(table)


def test_csv_gzip_and_pickle(bucket_url: str) -> None:
    with bl.open(bucket_url + "t.csv", "w", newline="") as file:
        csv.writer(file).writerows([["a", "b"], ["1", "2,3"]])
    with bl.open(bucket_url + "t.csv", "r", newline="") as file:
        assert list(csv.reader(file)) == [["a", "b"], ["1", "2,3"]]
    with bl.open(bucket_url + "k.gz", "wb") as file, gzip.open(file, "wb") as zipped:
        zipped.write(b"x" * 1_000_000)
    with bl.open(bucket_url + "k.gz") as file, gzip.open(file) as zipped:
        assert zipped.read() == b"x" * 1_000_000
    with bl.open(bucket_url + "k.pkl", "wb") as file:
        pickle.dump({"a": ARRAY}, file)
    with bl.open(bucket_url + "k.pkl") as file:
        assert np.array_equal(pickle.load(file)["a"], ARRAY)


def test_pillow_images(bucket_url: str) -> None:
    bl.put(bucket_url + "a.jpg", jpeg(1))
    with bl.open(bucket_url + "a.jpg") as file, Image.open(file) as image:
        pixels = np.asarray(image)
    assert np.array_equal(pixels, np.asarray(Image.open(io.BytesIO(jpeg(1)))))
    with bl.open(bucket_url + "a.png", "wb") as file:
        Image.fromarray(pixels).save(file, "PNG")
    with bl.open(bucket_url + "a.png") as file, Image.open(file) as image:
        assert np.array_equal(np.asarray(image), pixels)


def test_shutil_copies(bucket_url: str) -> None:
    bl.put(bucket_url + "a", ARRAY.tobytes())
    with bl.open(bucket_url + "a") as source, bl.open(bucket_url + "b", "wb") as target:
        shutil.copyfileobj(source, target)
    assert bl.get(bucket_url + "b") == ARRAY.tobytes()
