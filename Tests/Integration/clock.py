"""A wall clock for a process of its own that a test sets ahead and back; what measures time goes on as it was."""

import functools
import pathlib
import shutil
import struct
import subprocess
import tempfile

SOURCE = pathlib.Path(__file__).with_name("clock.c")


@functools.cache
def library():
    """The library that `clock.c` becomes, made by the toolchain's own compiler; None without one."""
    compiler = shutil.which("clang") or shutil.which("cc")
    if not compiler:
        return None
    path = pathlib.Path(tempfile.mkdtemp(prefix="hw-clock-")) / "clock.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", path, SOURCE, "-ldl"], check=True)
    return path


class Clock:
    """Processes that start with `env` read the wall clock through it."""

    def __init__(self, folder, preload=None):
        self.path = pathlib.Path(folder) / "clock"
        self.path.write_bytes(struct.pack("q", 0))
        self.env = {"LD_PRELOAD": str(preload or library()), "CLOCK_OFFSET_FILE": str(self.path)}
        self.seconds = 0

    def set(self, seconds):
        """Seconds by which the clock is ahead of the real one; below 0 it is behind."""
        self.seconds = seconds
        with open(self.path, "r+b") as file:
            file.write(struct.pack("q", int(seconds * 1_000_000)))
