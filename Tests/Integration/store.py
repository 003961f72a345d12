"""A redis-server of the operator's own, which tests may stop, kill, take back in time and start again."""

import os
import pathlib
import shutil
import signal
import subprocess
import time

import redis

from agent import PATIENCE_SECONDS


class Store:
    """A redis-server on a unix socket in a folder; only its own process is ever signalled."""

    def __init__(self, folder, *arguments, password=None, env=None):
        self.env = env
        self.password = password
        self.folder = pathlib.Path(folder)
        self.arguments = arguments
        self.path = str(self.folder / "redis.sock")
        self.url = "redis+unix://" + self.path
        self.process = None
        self.client = None

    def start(self):
        self.folder.mkdir(exist_ok=True)
        self.process = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", self.path, "--dir", str(self.folder), "--appendonly", "yes",
             "--appendfsync", "everysec", "--maxmemory-policy", "noeviction", "--save", "", *self.arguments,
             *(["--requirepass", self.password] if self.password else [])],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT,
            env={**os.environ, **(self.env or {})},
        )
        self.client = redis.Redis(unix_socket_path=self.path, password=self.password)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                self.client.ping()
                return self
            except redis.exceptions.RedisError:
                assert self.process.poll() is None and time.monotonic() < deadline, "redis-server did not start"
                time.sleep(0.01)

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    def kill(self):
        self.client.close()
        self.process.kill()
        self.process.wait(PATIENCE_SECONDS)

    def copy(self, name):
        """What the disk holds now, put aside: what a server that lost its last seconds would find."""
        shutil.copytree(self.folder / "appendonlydir", self.folder / name)

    def take_back(self, name):
        """Puts an earlier copy in the place of what the disk holds; the server must be down."""
        shutil.rmtree(self.folder / "appendonlydir")
        (self.folder / name).rename(self.folder / "appendonlydir")

    def end(self):
        if self.process is None or self.process.poll() is not None:
            return
        self.client.close()
        self.process.send_signal(signal.SIGCONT)
        self.process.kill()
        self.process.wait(PATIENCE_SECONDS)
