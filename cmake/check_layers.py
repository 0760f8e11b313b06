"""Checks that every module under bucketline/ includes only modules of lower layers (cmake/layers.txt).

Usage: check_layers.py [ROOT]. Prints a line for each fault, "file:line: what", and exits 1 if there are any.
"""

import re
import sys
from pathlib import Path

SUFFIXES = {".h", ".cc"}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
TORCH_HEADERS = ("torch/", "ATen/", "c10/")
TORCH_MODULES = {"torch", "train"}


def read_layers(table: Path) -> dict[str, int]:
    """Module to layer; each line of the table is a number and the modules of that layer."""
    layers: dict[str, int] = {}
    for number, line in enumerate(table.read_text().splitlines(), 1):
        words = line.split("#")[0].split()
        if not words:
            continue
        if not words[0].isdigit():
            raise SystemExit(f"{table}:{number}: a line is a layer's number and its modules, not '{line}'")
        for module in words[1:]:
            if module in layers:
                raise SystemExit(f"{table}:{number}: module '{module}' is listed twice")
            layers[module] = int(words[0])
    return layers


def fault(module: str | None, quote: str, header: str, layers: dict[str, int]) -> str | None:
    """What is wrong with this include in a file of `module` (None: an umbrella header), if anything is."""
    if not header.startswith("bucketline/"):
        if header.startswith(TORCH_HEADERS) and module not in TORCH_MODULES:
            return f"<{header}> belongs into {' and '.join(sorted(TORCH_MODULES))} only"
        return f'relative include "{header}"; write "bucketline/<module>/..."' if quote == '"' else None
    parts = header.split("/")
    if len(parts) < 3:
        return None if module is None else f'"{header}" is for users; include the modules\' own headers'
    if ".." in parts or "." in parts:
        return f'"{header}" hides what it includes; write the plain path'
    other = parts[1]
    if other not in layers:
        return f"\"{header}\": module '{other}' is not in cmake/layers.txt"
    if module is None or other == module or layers[other] < layers[module]:
        return None
    way = "sideways" if layers[other] == layers[module] else "upward"
    return f"'{module}' (layer {layers[module]}) includes '{other}' (layer {layers[other]}): {way}"


def check(root: Path) -> list[str]:
    """All faults of the tree, as "file:line: what" or "folder: what"."""
    layers = read_layers(root / "cmake" / "layers.txt")
    source = root / "bucketline"
    files = sorted(path for path in source.rglob("*") if path.is_file() and path.suffix in SUFFIXES)
    faults: list[str] = []
    unknown: set[str] = set()
    for path in files:
        parts = path.relative_to(source).parts
        module = parts[0] if len(parts) > 1 else None
        if module is not None and module not in layers:
            unknown.add(module)
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            found = INCLUDE.match(line)
            what = fault(module, found[1], found[2], layers) if found else None
            if what:
                faults.append(f"{path.relative_to(root)}:{number}: {what}")
    return [
        f"bucketline/{module}: the folder is not in cmake/layers.txt" for module in sorted(unknown)
    ] + faults


def main() -> int:
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent
    faults = check(root)
    print("\n".join(faults) if faults else "the layers are kept")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
