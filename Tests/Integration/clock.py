"""A wall clock for a process of its own that a test sets ahead and back; what measures time goes on as it was."""

import atexit
import functools
import os
import pathlib
import shutil
import struct
import subprocess
import tempfile

HERE = pathlib.Path(__file__).parent


@functools.cache
def library(name="clock"):
    """The library that `NAME.c` becomes, made by the toolchain's own compiler; None without one.

    Processes that this one starts take over what it made.
    """
    if made := os.environ.get("PRELOAD_" + name):
        return pathlib.Path(made)
    compiler = shutil.which("clang") or shutil.which("cc")
    if not compiler:
        return None
    folder = tempfile.mkdtemp(prefix="hw-preload-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = pathlib.Path(folder) / f"{name}.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", path, HERE / f"{name}.c", "-ldl"], check=True)
    os.environ["PRELOAD_" + name] = str(path)
    return path


class Clock:
    """Processes that start with `env` read the wall clock through it."""

    def __init__(self, folder):
        self.path = pathlib.Path(folder) / "clock"
        self.path.write_bytes(struct.pack("qq", 0, 0))
        self.env = {"LD_PRELOAD": str(library()), "CLOCK_OFFSET_FILE": str(self.path)}

    def set(self, seconds):
        """Seconds by which the clock is ahead of the real one; below 0 it is behind."""
        self._write(0, seconds)

    def age(self, seconds):
        """Has so many seconds passed since the boot."""
        self._write(8, seconds)

    def _write(self, place, seconds):
        with open(self.path, "r+b") as file:
            file.seek(place)
            file.write(struct.pack("q", int(seconds * 1_000_000)))
