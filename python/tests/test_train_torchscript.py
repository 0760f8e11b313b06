"""TorchScript modules: defined in Python, trained by the command, loaded back in Python."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Command, Endpoint
from PIL import Image
from training import SMALL_IMAGES, events_of, image_folder, summary_of

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit.*")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return image_folder(tmp_path_factory.mktemp("images"))


@pytest.fixture(scope="module")
def modules() -> Any:
    torch = pytest.importorskip("torch")
    import script_modules

    torch.manual_seed(0)
    return script_modules


def latest(folder: Path, name: str = "latest.json") -> Path:
    found: str = json.loads((folder / name).read_text())["folder"]
    return folder / found


def test_torchvisions_mobilenet_v2_is_trained_from_s3_and_loads_back(
    on_versitygw: Command, versitygw: Endpoint, folder: Path, tmp_path: Path
) -> None:
    torch = pytest.importorskip("torch")
    torchvision = pytest.importorskip("torchvision")
    safetensors = pytest.importorskip("safetensors.torch")
    bucket = versitygw.new_bucket()
    torch.manual_seed(0)
    scripted = torch.jit.script(torchvision.models.mobilenet_v2(num_classes=1, width_mult=0.35))
    buffer = io.BytesIO()
    torch.jit.save(scripted, buffer)
    versitygw.client().put_object(Bucket=bucket, Key="net.pt", Body=buffer.getvalue())
    log = tmp_path / "log.jsonl"
    on_versitygw.done(
        "train", folder, *SMALL_IMAGES, "--model", f"s3://{bucket}/net.pt", "--epochs", 8, "--learning-rate", "3e-3",
        "--checkpoint", tmp_path / "c", "--log", log,
    )  # fmt: skip
    losses = [epoch["loss"] for epoch in events_of(log, "epoch")]
    assert losses[-1] < 0.6 * losses[0]

    trained = torch.jit.load(str(latest(tmp_path / "c") / "model.pt"))
    state = safetensors.load_file(latest(tmp_path / "c") / "model.safetensors")
    assert set(state) == set(scripted.state_dict())
    for name, tensor in trained.state_dict().items():
        assert torch.equal(tensor, state[name]), name
    plain = torchvision.models.mobilenet_v2(num_classes=1, width_mult=0.35)
    plain.load_state_dict(state)
    pixels = torch.from_numpy(np.random.default_rng(0).normal(size=(2, 3, 32, 32)).astype(np.float32))
    with torch.no_grad():
        np.testing.assert_allclose(trained.eval()(pixels), plain.eval()(pixels), atol=1e-5)


def test_the_first_losses_are_those_of_python(
    bucketline: Command, modules: Any, folder: Path, tmp_path: Path
) -> None:
    """The same module and the same optimiser on the same images: the order does not matter in one batch."""

    module = modules.save(modules.Plain(), tmp_path / "net.pt")
    log = tmp_path / "log.jsonl"
    bucketline.done(
        "train", folder, "--image-size", 48, "--batch-size", 64, "--model", module, "--epochs", 4, "--optimizer",
        "sgd", "--learning-rate", 0.1, "--momentum", 0.9, "--threads", 1, "--log", log,
    )  # fmt: skip
    torch = pytest.importorskip("torch")
    keys = sorted(path for path in folder.rglob("*.jpg"))
    mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    pixels = np.stack([(np.asarray(Image.open(key), np.float64) / 255 - mean) / std for key in keys])
    images = torch.from_numpy(pixels.transpose(0, 3, 1, 2).astype(np.float32))
    labels = torch.tensor([[float(key.parent.name == "dark")] for key in keys])
    network = torch.jit.load(str(module))
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9)
    expected = []
    for _ in range(4):
        optimizer.zero_grad()
        loss = torch.nn.functional.binary_cross_entropy_with_logits(network(images), labels)
        loss.backward()
        optimizer.step()
        expected.append(loss.item())
    losses = [step["batch_loss"] for step in events_of(log, "step")]
    np.testing.assert_allclose(losses, expected, rtol=1e-4)


def test_it_is_resumed_bit_for_bit(bucketline: Command, modules: Any, folder: Path, tmp_path: Path) -> None:
    module = modules.save(modules.Tiny(), tmp_path / "net.pt")
    base = ("train", folder, *SMALL_IMAGES, "--model", module, "--threads", 1, "--seed", 5, "--json")
    whole = summary_of(bucketline.done(*base, "--epochs", 3).out)
    for epochs in (1, 2):
        bucketline.done(*base, "--epochs", epochs, "--checkpoint", tmp_path / "c", "--resume")
    parts = summary_of(bucketline.done(*base, "--epochs", 3, "--checkpoint", tmp_path / "c", "--resume").out)
    assert parts["images"] == 64
    assert parts["loss"] == whole["loss"]


def test_a_checkpoint_of_another_module_is_refused(
    bucketline: Command, modules: Any, folder: Path, tmp_path: Path
) -> None:
    base = ("train", folder, *SMALL_IMAGES, "--epochs", 1, "--checkpoint", tmp_path / "c", "--resume")
    bucketline.done(*base, "--model", modules.save(modules.Tiny(), tmp_path / "net.pt"))
    other = modules.Tiny()  # other random weights
    for model in (modules.save(other, tmp_path / "other.pt"), "mobilenet_v2"):
        outcome = bucketline.run(*base, "--model", model)
        assert outcome.code == 1
        assert "model" in outcome.err


def test_the_loss_is_what_the_outputs_fit(
    bucketline: Command, modules: Any, folder: Path, tmp_path: Path
) -> None:
    base = ("train", folder, *SMALL_IMAGES, "--epochs", 1)
    bucketline.done(*base, "--model", modules.save(modules.Tiny(2), tmp_path / "two.pt"))
    for outputs, loss in [
        (3, ()),
        (2, ("--loss", "binary_crossentropy")),
        (1, ("--loss", "categorical_crossentropy")),
    ]:
        outcome = bucketline.run(
            *base, "--model", modules.save(modules.Tiny(outputs), tmp_path / "net.pt"), *loss
        )
        assert outcome.code == 1
        assert f"the module gives {outputs} logits an image" in outcome.err
        assert "net.pt" in outcome.err


def test_what_is_no_classifier_is_named(
    bucketline: Command, modules: Any, folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "text.pt").write_text("not a module")
    torch = pytest.importorskip("torch")
    torch.save({"weights": torch.zeros(3)}, tmp_path / "dict.pt")
    for path, says in [
        (tmp_path / "text.pt", "TorchScript"),
        (tmp_path / "dict.pt", "TorchScript"),
        (tmp_path / "absent.pt", "absent.pt"),
        (modules.save(modules.Shapeless(), tmp_path / "shapeless.pt"), "(2, 1, 30, 30)"),
        (modules.save(modules.Raising(), tmp_path / "raising.pt"), "not today"),
        (modules.save(modules.Frozen(), tmp_path / "frozen.pt"), "no parameter"),
    ]:
        outcome = bucketline.run("train", folder, *SMALL_IMAGES, "--epochs", 1, "--model", path)
        assert outcome.code == 1, path
        assert says in outcome.err
        assert path.name in outcome.err
        assert len(outcome.err.strip().splitlines()) == 1, outcome.err
