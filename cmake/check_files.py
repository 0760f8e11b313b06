"""Checks the house rules for files: their length, their READMEs, no sleeping tests, no leftover markers.

Usage: check_files.py [ROOT]. Prints one line for each fault, "file:line: what", and exits 1 if there are any.
"""

import re
import statistics
import sys
from collections.abc import Iterator
from pathlib import Path

FOLDERS = ("bucketline", "cli", "python", "tests", "bench", "fuzz", "examples", "cmake", "docs")
SOURCES = {".h", ".cc", ".py", ".cmake", ".sh"}
TEXTS = SOURCES | {
    ".pyi",
    ".md",
    ".txt",
    ".toml",
    ".yml",
    ".yaml",
    ".json",
}  # a .pyi is made by a program, as long as it gets
SKIPPED = {"__pycache__", "node_modules", "build", "dist"}
MAX_LINES = 800
MAX_MEDIAN_LINES = 150
FEW_FILES = 20  # whose median says nothing
MAX_MODULE_README = 20
MAX_README = 150
SLEEP = re.compile(r"\b(sleep_for|sleep_until|nanosleep|usleep|time\.sleep)\b")
MARKER = re.compile(r"\b(TO[D]O|FIX[M]E|X[X]X)\b")  # the brackets keep this line from finding itself


def text_files(root: Path) -> Iterator[Path]:
    """The project's own text files: what stands in its folders and directly in the root."""
    yield from (path for path in sorted(root.iterdir()) if path.is_file() and path.suffix in TEXTS)
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            inside = path.relative_to(root).parts
            hidden = any(part in SKIPPED or part.startswith(".") for part in inside)
            if path.is_file() and path.suffix in TEXTS and not hidden:
                yield path


def is_test(path: Path) -> bool:
    """Tests wait for events with deadlines; only there is a sleep forbidden."""
    return path.suffix in SOURCES and (path.name.endswith("_test.cc") or "tests" in path.parts)


def readme_faults(root: Path) -> Iterator[str]:
    modules = [path for path in sorted((root / "bucketline").glob("*")) if path.is_dir()]
    for module in modules:
        own = [path for path in module.iterdir() if path.name not in SKIPPED]
        if own and not (module / "README.md").is_file():
            yield f"{module.relative_to(root)}: has no README.md"
    limits = [(module / "README.md", MAX_MODULE_README) for module in modules]
    for readme, limit in [*limits, (root / "README.md", MAX_README)]:
        lines = len(readme.read_text().splitlines()) if readme.is_file() else 0
        if lines > limit:
            yield f"{readme.relative_to(root)}: {lines} lines; at most {limit}"


def check(root: Path) -> list[str]:
    """All faults of the tree, as "file:line: what" or "file: what"."""
    faults = list(readme_faults(root))
    lengths = []
    for path in text_files(root):
        name = path.relative_to(root)
        lines = path.read_text().splitlines()
        if path.suffix in SOURCES:
            lengths.append(len(lines))
        if path.suffix in SOURCES and len(lines) > MAX_LINES:
            faults.append(f"{name}: {len(lines)} lines; at most {MAX_LINES}")
        for number, line in enumerate(lines, 1):
            marker = MARKER.search(line)
            if marker:
                faults.append(f"{name}:{number}: leftover {marker[0]}")
            sleep = SLEEP.search(line) if is_test(name) else None
            if sleep:
                faults.append(f"{name}:{number}: {sleep[0]} in a test; wait for the event, with a deadline")
    if len(lengths) >= FEW_FILES and statistics.median(lengths) > MAX_MEDIAN_LINES:
        faults.append(
            f"half of the source files have more than {statistics.median(lengths):g} lines; "
            f"the median must be at most {MAX_MEDIAN_LINES}"
        )
    return faults


def main() -> int:
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent
    faults = check(root)
    print("\n".join(faults) if faults else "the house rules are kept")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
