"""Images made by Pillow for the parity tests, and real ones where a folder of them is at hand."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

SIZES = [(1, 1), (7, 5), (31, 64), (97, 113), (224, 224), (500, 375), (333, 801)]


def photo_like(width: int, height: int, seed: int) -> np.ndarray:
    """Smooth colours, a few hard edges and some noise: what a camera gives."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    waves = [np.sin(x / w + p) * np.cos(y / v - p) for w, v, p in rng.uniform(3, 60, (3, 3))]
    image = np.stack(waves, axis=-1) * 90 + 128
    for _ in range(6):
        left, top = rng.integers(0, width), rng.integers(0, height)
        patch = image[top : top + height // 3 + 1, left : left + width // 4 + 1]
        patch[:] = rng.integers(0, 256, 3)
    image += rng.normal(0, 6, image.shape)
    return np.clip(image, 0, 255).astype(np.uint8)


def noise(width: int, height: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def write_jpegs(folder: Path) -> Iterator[Path]:
    for index, (width, height) in enumerate(SIZES):
        makers = {"photo": photo_like, "noise": noise}
        for name, make in makers.items():
            image = Image.fromarray(make(width, height, index))
            for subsampling in ("4:4:4", "4:2:2", "4:2:0"):
                path = folder / f"{name}-{width}x{height}-{subsampling.replace(':', '')}.jpg"
                image.save(path, quality=90, subsampling=subsampling)
                yield path
        path = folder / f"progressive-{width}x{height}.jpg"
        image.save(path, quality=80, progressive=True)
        yield path
        path = folder / f"grey-{width}x{height}.jpg"
        image.convert("L").save(path, quality=85)
        yield path
        path = folder / f"restart-{width}x{height}.jpg"
        image.save(path, quality=85, restart_marker_blocks=3)
        yield path


def write_pngs(folder: Path) -> Iterator[Path]:
    for index, (width, height) in enumerate(SIZES):
        image = Image.fromarray(photo_like(width, height, 100 + index))
        alpha = Image.fromarray(noise(width, height, index)[:, :, 0])
        rgba = image.copy()
        rgba.putalpha(alpha)
        grey_alpha = Image.merge("LA", (image.convert("L"), alpha))
        variants = {
            "rgb": image,
            "grey": image.convert("L"),
            "rgba": rgba,
            "la": grey_alpha,
            "bit": image.convert("1"),
            "palette": image.quantize(200),
            "palette16": image.quantize(13),
        }
        for name, variant in variants.items():
            path = folder / f"{name}-{width}x{height}.png"
            variant.save(path)
            yield path
        path = folder / f"palette-trns-{width}x{height}.png"
        image.quantize(64).save(path, transparency=3)
        yield path


def write_others(folder: Path) -> dict[str, list[Path]]:
    """WebP, GIF and BMP in their variants, by format."""
    paths: dict[str, list[Path]] = {"webp": [], "gif": [], "bmp": []}

    def save(image: Image.Image, name: str, **options: Any) -> None:
        path = folder / name
        image.save(path, **options)
        paths[path.suffix[1:]].append(path)

    for index, (width, height) in enumerate(SIZES):
        size = f"{width}x{height}"
        image = Image.fromarray(photo_like(width, height, 200 + index))
        rgba = image.copy()
        rgba.putalpha(Image.fromarray(noise(width, height, index)[:, :, 0]))
        save(image, f"lossy-{size}.webp", quality=80, method=1)
        save(image, f"lossless-{size}.webp", lossless=True, method=0)
        save(rgba, f"alpha-{size}.webp", quality=70, method=1)
        save(rgba, f"alpha-lossless-{size}.webp", lossless=True, exact=True, method=0)
        save(image, f"plain-{size}.gif", interlace=0)
        save(image.convert("L"), f"grey-{size}.gif")
        save(image, f"interlaced-{size}.gif", interlace=1)
        save(image.quantize(5), f"few-{size}.gif")
        frames = [Image.fromarray(photo_like(width, height, 300 + i)) for i in range(3)]
        save(frames[0], f"animated-{size}.gif", save_all=True, append_images=frames[1:])
        save(frames[0], f"animated-{size}.webp", save_all=True, append_images=frames[1:], method=0)
        save(image, f"rgb-{size}.bmp")
        save(rgba, f"rgba-{size}.bmp")
        save(image.convert("L"), f"grey-{size}.bmp")
        save(image.quantize(77), f"palette-{size}.bmp")
    return paths


def sample_folder() -> Path | None:
    """Real photographs: $BUCKETLINE_SAMPLE_DATA."""
    named = os.environ.get("BUCKETLINE_SAMPLE_DATA")
    return Path(named) if named else None


def sample_jpegs(limit: int) -> list[Path]:
    folder = sample_folder()
    if folder is None:
        return []
    paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in (".jpg", ".jpeg"))
    step = max(len(paths) // limit, 1)
    return paths[::step][:limit]
