#!/usr/bin/env python3
"""Counts an event by HTTP and reads its subject back: count.py shop dollars=5

HAILWHALE_URL names the agent. The event is sent with an Idempotency-Key, so a retry does not count it twice.
"""

import json
import os
import sys
import urllib.error
import urllib.parse
import urllib.request
import uuid

URL = os.environ.get("HAILWHALE_URL", "http://127.0.0.1:8085")


def call(path, body=None, headers=None, **parameters):
    """The answer's text; lists and objects are sent as JSON."""
    texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in parameters.items()}
    target = f"{URL}{path}" + (f"?{urllib.parse.urlencode(texts)}" if texts else "")
    data = None if body is None else json.dumps(body).encode()
    kind = {} if body is None else {"Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(target, data, kind | (headers or {})), timeout=30) as answer:
        return answer.read().decode()


def count(event, tries=3):
    """Counts an event and returns when it is readable."""
    key = {"Idempotency-Key": str(uuid.uuid4())}
    for left in range(tries - 1, -1, -1):
        try:
            return call("/count_now", event, key)
        except urllib.error.HTTPError as error:
            if error.code != 503 or not left:
                raise
        except (urllib.error.URLError, TimeoutError):
            if not left:
                raise


def main():
    if len(sys.argv) < 2:
        sys.exit("usage: count.py PK [METRIC=NUMBER]...")
    pk = sys.argv[1]
    # Values go as text, so that no digit is lost; the agent says what is no number.
    metrics = {name: value for name, _, value in (word.partition("=") for word in sys.argv[2:])}
    try:
        count({"pk": pk, "metrics": metrics} if metrics else {"pk": pk})
        print(call("/totals", pk=[pk], metrics=[*metrics, "hits"], periods="all"))
    except urllib.error.HTTPError as error:
        sys.exit(f"{error.code}: {error.read().decode()}")


if __name__ == "__main__":
    main()
