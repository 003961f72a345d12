"""Runs an image as a container engine would: process 1, its user, no capabilities, a network of its own."""

import contextlib
import ctypes
import os
import pathlib
import queue
import signal
import subprocess
import threading
import time

import httpx

from agent import PATIENCE_SECONDS, end_process

CLONE_NEWNET = 0x40000000
GATEWAY, ADDRESS = "172.17.0.1", "172.17.0.2"
# The arguments: root, data folder, where the image has it, hosts file, ro or rw, then the command.
START = """
set -eu
root=$1 data=$2 volume=$3 hosts=$4 mode=$5; shift 5
mount --bind "$root" "$root"
mount --bind "$data" "$root$volume"
mount --bind "$hosts" "$root/etc/hosts"
mount -t proc proc "$root/proc"
mount -t tmpfs tmpfs "$root/dev"
for device in null zero random urandom; do
    : > "$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
done
mount -o "remount,bind,$mode" "$root"
exec chroot "$root" "$@"
"""


class Network:
    """Two network namespaces and the cable between them: a container's, and the bridge's side of it.

    The host's own network has no part in it.
    """

    def __init__(self):
        self.outside, self.inside = self._namespace(), self._namespace()
        try:
            for side in (self.outside, self.inside):
                self._ip(side, "link set lo up")
            self._ip(self.outside, f"link add eth0 type veth peer name eth0 netns {self.inside.pid}")
            for side, address in ((self.outside, GATEWAY), (self.inside, ADDRESS)):
                self._ip(side, f"address add {address}/24 dev eth0")
                self._ip(side, "link set eth0 up")
        except BaseException:
            self.close()
            raise

    @staticmethod
    def _namespace():
        holder = subprocess.Popen(
            ["unshare", "--net", "sh", "-c", "echo; exec sleep infinity"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        holder.stdout.readline()
        return holder

    @staticmethod
    def _ip(side, words):
        done = subprocess.run([*entering(side), "ip", *words.split()], capture_output=True, text=True)
        assert done.returncode == 0, f"ip {words}: {done.stderr}"

    def close(self):
        for holder in (self.outside, self.inside):
            holder.kill()
            holder.wait(PATIENCE_SECONDS)
            holder.stdout.close()


def entering(side):
    return ["nsenter", f"--net=/proc/{side.pid}/ns/net"]


def within(side, action):
    """Does something in the network of a namespace: in a thread of its own, which alone goes there."""
    answers = queue.SimpleQueue()

    def run():
        try:
            descriptor = os.open(f"/proc/{side.pid}/ns/net", os.O_RDONLY)
            try:
                libc = ctypes.CDLL(None, use_errno=True)
                if libc.setns(descriptor, CLONE_NEWNET) != 0:
                    raise OSError(ctypes.get_errno(), "setns")
            finally:
                os.close(descriptor)
            answers.put((action(), None))
        except BaseException as error:
            answers.put((None, error))

    threading.Thread(target=run, daemon=True).start()
    value, error = answers.get(timeout=2 * PATIENCE_SECONDS)
    if error is not None:
        raise error
    return value


class Container:
    """One running container of an image. Its volume outlives it, as a named one would."""

    def __init__(self, root, config, folder, network, command=None, environment=None, hosts="", is_read_only=False):
        self.network = network
        self.folder = pathlib.Path(folder)
        (volume,) = config["Volumes"]
        data = self.folder / "volume"
        if not data.exists():
            # A new volume begins as what the image has there, owner and mode and all.
            subprocess.run(["cp", "--archive", f"{root}{volume}", data], check=True)
        hosts_file = self.folder / "hosts"
        hosts_file.write_text("127.0.0.1 localhost\n" + hosts)
        self.log = self.folder / "log"
        self.user, group = config["User"].split(":")
        self.group = group
        variables = dict(pair.split("=", 1) for pair in config["Env"]) | (environment or {})
        self.variables = [f"{name}={value}" for name, value in variables.items()]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*entering(network.inside), "unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", START,
                 "sh", root, data, volume, hosts_file, "ro" if is_read_only else "rw",
                 "setpriv", f"--reuid={self.user}", f"--regid={group}", "--clear-groups", "--bounding-set=-all",
                 "--no-new-privs", "env", "--ignore-environment", *self.variables,
                 *(command or config["Entrypoint"] + config["Cmd"])],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    @property
    def first(self):
        """The id, on this side, of the container's process 1."""
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return int(children[0]) if children else None

    def await_ready(self):
        self.until(lambda: self.get("/readyz").status_code == 200, "ready")
        return self

    def until(self, claim, what):
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            with contextlib.suppress(httpx.TransportError):
                if claim():
                    return
            assert self.process.poll() is None, f"it ended with {self.process.returncode}:\n{self.log.read_text()}"
            assert time.monotonic() < deadline, f"not {what}:\n{self.log.read_text()}"
            time.sleep(0.02)

    def get(self, path, side=None, host=None, **parameters):
        """Asks from inside the container, or from the other side of the cable, as through a published port."""
        address = ADDRESS if side is self.network.outside else "127.0.0.1"
        headers = {"Host": host} if host else {}

        def ask():
            with httpx.Client(timeout=PATIENCE_SECONDS, trust_env=False) as client:
                return client.get(f"http://{address}:8085{path}", params=parameters, headers=headers)

        return within(side or self.network.inside, ask)

    def execute(self, *command):
        """Runs a command in the container, as the same user."""
        target = ["nsenter", "--target", self.first, "--mount", "--pid", "--net", "--root", "--wd=/"]
        user = ["--setuid", self.user, "--setgid", self.group]
        return subprocess.run(
            [*map(str, target), *user, "env", "--ignore-environment", *self.variables, *command],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE_SECONDS)

    def stop(self):
        """Asks it to end, and answers with what and how soon: the exit code, and seconds."""
        started = time.monotonic()
        os.kill(self.first, signal.SIGTERM)
        code = self.process.wait(2 * PATIENCE_SECONDS)
        return code, time.monotonic() - started

    def close(self):
        if self.process.poll() is None:
            if self.first is not None:
                end_process(self.first)
            self.process.kill()
            self.process.wait(PATIENCE_SECONDS)
