"""Tests check_files.py on small trees."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from check_files import check

SCRIPT = Path(__file__).with_name("check_files.py")


class CheckFiles(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        self.write("bucketline/base/README.md", "# base\n" * 20)
        self.write("README.md", "line\n" * 150)

    def write(self, path: str, text: str) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def expect(self, *parts: str) -> None:
        """Exactly one fault, which names all of these."""
        faults = check(self.root)
        self.assertEqual(len(faults), 1, faults)
        for part in parts:
            self.assertIn(part, faults[0])

    def test_a_clean_tree_passes(self) -> None:
        self.write("bucketline/base/a.cc", "int x;\n" * 800)
        self.write("bucketline/base/b.cc", "std::this_thread::sleep_for(backoff);\n")
        self.write("docs/long.md", "line\n" * 2000)
        self.write("python/made.pyi", "x: int\n" * 900)
        self.write("build/a_test.cc", "usleep(1);\n" + "TO" + "DO\n")
        self.write("python/__pycache__/a.py", "x\n" * 900)
        self.write("cli/mkstemp.cc", 'char name[] = "' + "XX" + 'XXXX";\n')
        (self.root / "bucketline/empty").mkdir()
        self.assertEqual(check(self.root), [])

    def test_a_long_source(self) -> None:
        for path in ("bucketline/base/a.cc", "tests/a.py", "cmake/a.cmake"):
            self.write(path, "x\n" * 801)
            self.expect(f"{path}: 801 lines", "800")
            (self.root / path).unlink()

    def test_many_sources_of_some_length(self) -> None:
        for number in range(19):
            self.write(f"tests/{number}.py", "x\n" * 151)
        self.assertEqual(check(self.root), [])
        self.write("tests/19.py", "x\n" * 151)
        self.expect("more than 151 lines", "the median must be at most 150")
        for number in range(18, 38):
            self.write(f"tests/{number}.py", "x\n" * 150)
        self.assertEqual(check(self.root), [])

    def test_a_module_without_readme(self) -> None:
        self.write("bucketline/http/a.h", "")
        self.expect("bucketline/http: has no README.md")

    def test_long_readmes(self) -> None:
        self.write("bucketline/base/README.md", "x\n" * 21)
        self.expect("bucketline/base/README.md: 21 lines; at most 20")
        self.write("bucketline/base/README.md", "x\n")
        self.write("README.md", "x\n" * 151)
        self.expect("README.md: 151 lines; at most 150")

    def test_sleeping_tests(self) -> None:
        for path in ("bucketline/base/a_test.cc", "tests/stress/a.cc", "python/tests/test_a.py"):
            for call in ("std::this_thread::sleep_for(1s)", "usleep(5)", "time.sleep(1)", "sleep_until(t)"):
                self.write(path, f"\n  {call};\n")
                self.expect(f"{path}:2:", "in a test")
            (self.root / path).unlink()

    def test_markers(self) -> None:
        for marker in ("TO" + "DO", "FIX" + "ME", "X" + "XX"):
            for path in ("bucketline/base/a.h", "docs/a.md", "CMakeLists.txt", "python/bucketline/a.pyi"):
                self.write(path, f"\n\n// {marker}: later\n")
                self.expect(f"{path}:3: leftover {marker}")
                (self.root / path).unlink()

    def test_the_command_prints_faults_and_fails(self) -> None:
        self.write("tests/a.cc", "usleep(1);\n")
        for expected, part in ((1, "tests/a.cc:1:"), (0, "the house rules are kept")):
            done = subprocess.run(
                [sys.executable, SCRIPT, self.root], capture_output=True, text=True, check=False, timeout=60
            )
            self.assertEqual(done.returncode, expected, done.stderr)
            self.assertIn(part, done.stdout)
            (self.root / "tests/a.cc").write_text("")


if __name__ == "__main__":
    unittest.main()
