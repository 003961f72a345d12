"""The units of examples/systemd: systemd reads them, the agent takes what they give it, and little is left open."""

import configparser
import json
import re
import shlex
import shutil
import subprocess

import pytest

from agent import BINARY, ROOT, command

UNITS = ROOT / "examples/systemd"
NAMES = ["hailwhale.service", "hailwhale.socket", "hailwhale-http.socket"]
needs_analyze = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed (Debian: systemd)")


class Lines(dict):
    """Settings that may stand several times."""

    def __setitem__(self, key, value):
        if isinstance(value, list) and key in self:
            value = self[key] + value
        super().__setitem__(key, value)


def unit(name):
    parser = configparser.RawConfigParser(strict=False, dict_type=Lines, delimiters="=", empty_lines_in_values=False)
    parser.optionxform = str
    parser.read(UNITS / name)
    return parser


@pytest.fixture
def installed(tmp_path):
    """The units as they would lie in /etc/systemd/system, with the binary under test."""
    for name in NAMES:
        (tmp_path / name).write_text((UNITS / name).read_text().replace("/usr/local/bin/hailwhale", BINARY))
    return tmp_path


@needs_analyze
def test_systemd_reads_them_without_a_complaint(installed):
    done = subprocess.run(
        ["systemd-analyze", "verify", *(str(installed / name) for name in NAMES)],
        capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    broken = installed / "hailwhale.service"
    broken.write_text(broken.read_text() + "\n[Service]\nNoSuchSetting=yes\n")
    done = subprocess.run(["systemd-analyze", "verify", str(broken)], capture_output=True, text=True, timeout=60)
    assert "NoSuchSetting" in done.stderr


@needs_analyze
def test_little_is_left_open(installed):
    # Tenths; 14 as it is written, for the network and the host's root directory.
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=15",
         str(installed / "hailwhale.service")],
        capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_agent_takes_its_command_line_and_configuration(tmp_path):
    [start] = unit("hailwhale.service").get("Service", "ExecStart").splitlines()
    words = shlex.split(start)
    assert words[:2] == ["/usr/local/bin/hailwhale", "run"]
    given = {"${STATE_DIRECTORY}": str(tmp_path), "/etc/hailwhale/hailwhale.json": str(UNITS / "hailwhale.json")}
    words = [given.get(word, word) for word in words[2:]]
    done = command("check", *words)
    assert done.returncode == 0, done.stderr
    assert command("check", *words, "--no-such-option").returncode == 64


def test_the_sockets_are_those_of_the_configuration():
    configuration = json.loads((UNITS / "hailwhale.json").read_text())
    for name, kind, option in [("hailwhale.socket", "ListenDatagram", "udp"), ("hailwhale-http.socket", "ListenStream", "http")]:
        socket = unit(name)["Socket"]
        assert socket["FileDescriptorName"] == option
        assert socket["Service"] == "hailwhale.service"
        assert [socket[kind]] == configuration[option]
    assert unit("hailwhale.service")["Service"]["Sockets"].split() == NAMES[1:]


def test_a_stop_has_more_time_than_it_takes():
    service = unit("hailwhale.service")["Service"]
    assert service["KillMode"] == "mixed"
    assert int(service["TimeoutStopSec"]) > 5 and int(service["WatchdogSec"]) >= 30
    text = (UNITS / "README.md").read_text()
    for name in NAMES + ["hailwhale.json"]:
        assert re.search(re.escape(name), text)
