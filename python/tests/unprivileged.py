"""Commands as a user without any right, for tests that run as root."""

from __future__ import annotations

import os
import shlex
import stat
import subprocess
from pathlib import Path

import pytest
from conftest import Command

NOBODY = 65534
FUSE = os.makedev(10, 229)  # Linux's misc device of that name


def as_nobody(command: Command, folder: Path, *, reads_all: bool = False) -> Command:
    """The command as nobody, who owns `folder`, his home, and all in it. FUSE is open to him, as it is to everybody on a usual
    system: by a device of its own in a name space of mounts of its own, where this machine keeps it for root.

    reads_all: he may read what root may, such as a Python below /root. Skips where the kernel refuses this.
    """
    rights = f"setpriv --reuid={NOBODY} --regid={NOBODY} --clear-groups"
    if reads_all:
        rights += " --inh-caps=-all,+dac_read_search --ambient-caps=-all,+dac_read_search"
    steps = [f'exec {rights} -- {shlex.quote(str(command.binary))} "$@"']
    prefix = ""
    if os.path.exists("/dev/fuse") and os.stat("/dev/fuse").st_mode & 0o006 != 0o006:
        node = folder / "fuse"
        os.mknod(node, stat.S_IFCHR | 0o666, FUSE)
        node.chmod(0o666)
        steps.insert(0, f"mount --bind {shlex.quote(str(node))} /dev/fuse || exit 99")
        prefix = "unshare --mount "
    binary = folder / "as-nobody"
    binary.write_text(f'#!/bin/sh\nexec {prefix}sh -c {shlex.quote("; ".join(steps))} sh "$@"\n')
    binary.chmod(0o755)
    for path in [folder, *folder.rglob("*")]:
        os.chown(path, NOBODY, NOBODY, follow_symlinks=False)
    tried = subprocess.run([binary, "--version"], capture_output=True, text=True, check=False)
    if tried.returncode != 0:
        pytest.skip(f"nobody cannot be made here: {tried.stderr.strip()}")
    return Command(binary, folder, command.environment)
