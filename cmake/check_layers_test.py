"""Tests check_layers.py on small trees."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from check_layers import check, read_layers

SCRIPT = Path(__file__).with_name("check_layers.py")
TABLE = "# layer  modules\n0  base\n1  exec\n2  http store\n7  torch  # a comment\n8  train\n"


class CheckLayers(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        self.write("cmake/layers.txt", TABLE)

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

    def test_reads_the_table(self) -> None:
        layers = read_layers(self.root / "cmake/layers.txt")
        self.assertEqual(layers, {"base": 0, "exec": 1, "http": 2, "store": 2, "torch": 7, "train": 8})

    def test_a_clean_tree_passes(self) -> None:
        self.write("bucketline/base/a.h", "#pragma once\n#include <vector>\n#include <curl/curl.h>\n")
        self.write("bucketline/exec/b.h", '#include "bucketline/base/a.h"\n')
        self.write("bucketline/http/c.cc", '#include "bucketline/exec/b.h"\n#include "bucketline/http/c.h"\n')
        self.write("bucketline/train/d.cc", '#include <torch/torch.h>\n#include "bucketline/torch/t.h"\n')
        self.write("bucketline/torch/t.h", "#include <ATen/ATen.h>\n#include <c10/core/Device.h>\n")
        self.write(
            "bucketline/bucketline.h", '#include "bucketline/train/d.h"\n#include "bucketline/base/a.h"\n'
        )
        self.write("bucketline/base/README.md", '#include "bucketline/train/d.h"\n')
        self.write("tests/x.cc", '#include "bucketline/train/d.h"\n#include "near.h"\n')
        self.write("bucketline/base/e.cc", '// #include "bucketline/train/d.h"\n')
        self.assertEqual(check(self.root), [])

    def test_upward(self) -> None:
        self.write("bucketline/base/a.cc", '\n#include "bucketline/http/c.h"\n')
        self.expect("bucketline/base/a.cc:2:", "'base' (layer 0)", "'http' (layer 2)", "upward")

    def test_upward_with_brackets_and_spaces(self) -> None:
        self.write("bucketline/base/a.cc", " #  include <bucketline/http/c.h>\n")
        self.expect("bucketline/base/a.cc:1:", "upward")

    def test_sideways(self) -> None:
        self.write("bucketline/http/a.h", '#include "bucketline/store/c.h"\n')
        self.expect("bucketline/http/a.h:1:", "'http' (layer 2)", "'store' (layer 2)", "sideways")

    def test_a_test_obeys_its_modules_row(self) -> None:
        self.write("bucketline/http/a_test.cc", '#include "bucketline/store/c.h"\n')
        self.expect("bucketline/http/a_test.cc:1:", "sideways")

    def test_a_file_deeper_in_a_module_belongs_to_it(self) -> None:
        self.write("bucketline/base/simd/a.cc", '#include "bucketline/exec/b.h"\n')
        self.expect("bucketline/base/simd/a.cc:1:", "'base'", "'exec'")

    def test_a_module_that_is_not_in_the_table(self) -> None:
        self.write("bucketline/http/a.cc", '#include "bucketline/nowhere/c.h"\n')
        self.expect("bucketline/http/a.cc:1:", "'nowhere'", "layers.txt")

    def test_a_folder_that_is_not_in_the_table(self) -> None:
        self.write("bucketline/extra/a.cc", "")
        self.write("bucketline/extra/b.cc", "")
        self.expect("bucketline/extra:", "layers.txt")

    def test_relative(self) -> None:
        self.write("bucketline/http/a.cc", '#include "c.h"\n')
        self.expect("bucketline/http/a.cc:1:", "relative")

    def test_a_path_that_leads_elsewhere(self) -> None:
        self.write("bucketline/base/a.cc", '#include "bucketline/base/../http/c.h"\n')
        self.expect("bucketline/base/a.cc:1:", "plain path")

    def test_the_umbrella_from_inside(self) -> None:
        self.write("bucketline/http/a.cc", '#include "bucketline/bucketline.h"\n')
        self.expect("bucketline/http/a.cc:1:", "for users")

    def test_torch_headers_elsewhere(self) -> None:
        for header in ("torch/torch.h", "ATen/ATen.h", "c10/core/Device.h"):
            self.write("bucketline/http/a.cc", f"#include <{header}>\n")
            self.expect("bucketline/http/a.cc:1:", header, "torch and train only")

    def test_a_bad_table(self) -> None:
        for table, part in (("base\n", "layers.txt:1"), ("0 base\n1 exec base\n", "'base' is listed twice")):
            self.write("cmake/layers.txt", table)
            with self.assertRaisesRegex(SystemExit, part):
                check(self.root)

    def test_the_command_prints_faults_and_fails(self) -> None:
        self.write("bucketline/base/a.cc", '#include "bucketline/http/c.h"\n')
        for expected, part in ((1, "bucketline/base/a.cc:1:"), (0, "the layers are kept")):
            done = subprocess.run(
                [sys.executable, SCRIPT, self.root], capture_output=True, text=True, check=False, timeout=60
            )
            self.assertEqual(done.returncode, expected, done.stderr)
            self.assertIn(part, done.stdout)
            (self.root / "bucketline/base/a.cc").write_text("")


if __name__ == "__main__":
    unittest.main()
