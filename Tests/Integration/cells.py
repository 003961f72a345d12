"""Reads counters out of the store by `protocol/redis.md` alone, without the agent."""

import base64
import functools
import hashlib
import json
import pathlib

SLOTS = pathlib.Path(__file__).resolve().parents[2] / "protocol/vectors/slots.json"


def digest(octets):
    return hashlib.blake2b(octets, digest_size=16).digest()


def written(octets):
    """A digest as keys have it."""
    return base64.urlsafe_b64encode(octets).rstrip(b"=")


@functools.cache
def tags():
    return [case["tag"].encode() for case in json.loads(SLOTS.read_text())["cases"]]


def keys(subject, metric, group=()):
    """The hashes that may hold a counter's all-time cell, each with the fields of its whole part."""
    parts = b"\0".join(part.encode() for part in subject)
    subject_digest = digest(b"s" + parts)
    cell = digest(parts + b"\1" + b"\0".join(part.encode() for part in group) + b"\1c" + metric.encode())
    tag = tags()[subject_digest[0]]
    page = b"hw1:{%s}:p:%s:0:0" % (tag, written(subject_digest))
    field = bytes([cell[0] | 0x80]) + cell[1:8] + b"\0\0"
    return [(page, field), (page + b":%d" % (1 + cell[8] % 64), field),
            (b"hw1:{%s}:c:%s:0:0" % (tag, written(cell)), b"0")]


def hits(client, subjects):
    """The all-time hits of subjects, in their order."""
    pipe = client.pipeline(transaction=False)
    for subject in subjects:
        for key, field in keys(subject, "hits"):
            pipe.hget(key, field)
    values = pipe.execute()
    return [sum(int(value or 0) for value in values[place:place + 3]) for place in range(0, len(values), 3)]
