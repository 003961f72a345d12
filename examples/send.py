#!/usr/bin/env python3
"""Sends an event by UDP: send.py Product.42 revenue=12.5 sales=1 --tag country=US --tag device=ios

HAILWHALE_UDP_HOST and HAILWHALE_UDP_PORT name the agent. UDP does not say what arrives.
"""

import argparse
import os
import socket

SPECIAL = "%.:|,#=>@/"


def escaped(part):
    """One part of a name as a line writes it."""
    return "".join(f"%{ord(letter):02X}" if letter in SPECIAL else letter for letter in part)


def line(subject, metrics, tags):
    """An event's line. `subject` is a list of parts, `metrics` and `tags` are dictionaries."""
    name = ".".join(escaped(part) for part in subject)
    values = ":".join(f"{escaped(metric)}={value}" for metric, value in (metrics or {"hits": 1}).items())
    text = f"{name}:{values}|c"
    if tags:
        text += "|#" + ",".join(f"{escaped(name)}:{escaped(value)}" for name, value in tags.items())
    return text


def pair(text):
    name, separator, value = text.partition("=")
    if not separator or not name:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value


def main():
    parser = argparse.ArgumentParser(description="Sends an event by UDP.")
    parser.add_argument("subject", help="parts joined by dots")
    parser.add_argument("metrics", nargs="*", type=pair, metavar="METRIC=NUMBER")
    parser.add_argument("--tag", action="append", default=[], type=pair, metavar="NAME=VALUE")
    given = parser.parse_args()
    text = line(given.subject.split("."), dict(given.metrics), dict(given.tag))
    address = os.environ.get("HAILWHALE_UDP_HOST", "127.0.0.1"), int(os.environ.get("HAILWHALE_UDP_PORT", "8125"))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(text.encode(), address)
    print(text)


if __name__ == "__main__":
    main()
