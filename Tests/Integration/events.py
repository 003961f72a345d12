"""A seeded stream of events and, worked out independently, what every cell of them must read."""

import collections
import decimal
import json
import random

PARTS = ["shop", "cart", "product", "42", "überall"]
COUNTRIES = ["US", "DE", "JP"]
GEO = [["US", "CA", "SF"], ["US", "NY"], ["DE", "BE"]]
DEVICES = ["ios", "android", "web"]


class Event:
    """One line in event form, and what it counts."""

    def __init__(self, random_source):
        self.subject = [PARTS[0]] + random_source.sample(PARTS[1:], random_source.randint(0, 2))
        self.paths = []
        if random_source.random() < 0.8:
            self.paths.append(["country", random_source.choice(COUNTRIES)])
        if random_source.random() < 0.6:
            self.paths.append(["geo", *random_source.choice(GEO)])
        if random_source.random() < 0.5:
            self.paths.append(["device", random_source.choice(DEVICES)])
        cents = random_source.randint(-5_000, 99_999)
        self.metrics = {"revenue": decimal.Decimal(cents) / 100, "sales": decimal.Decimal(random_source.randint(1, 9))}

    @property
    def line(self):
        values = ":".join(f"{name}={value}" for name, value in self.metrics.items())
        tags = ",".join(f"{path[0]}:{'>'.join(path[1:])}" for path in self.paths)
        return f"{'.'.join(self.subject)}:{values}|c" + (f"|#{tags}" if tags else "")

    def cells(self):
        """Every (subject, group, metric) that the line counts at, with its value."""
        groups = {()}
        for path in self.paths:
            groups.update(tuple(path[:length]) for length in range(1, len(path) + 1))
        for length in range(1, len(self.subject) + 1):
            for group in groups:
                for name, value in (self.metrics | {"hits": decimal.Decimal(1)}).items():
                    yield tuple(self.subject[:length]), group, name, value


class Ledger:
    """Adds events up as the contract says the agent does."""

    def __init__(self, seed, count):
        source = random.Random(seed)
        self.events = [Event(source) for _ in range(count)]
        self.cells = collections.defaultdict(decimal.Decimal)
        for event in self.events:
            for subject, group, name, value in event.cells():
                self.cells[subject, group, name] += value

    def datagrams(self, limit=1_400):
        """The lines packed as a client would pack them."""
        packed = ""
        for event in self.events:
            if packed and len((packed + "\n" + event.line).encode()) > limit:
                yield packed
                packed = ""
            packed = f"{packed}\n{event.line}" if packed else event.line
        if packed:
            yield packed

    def subjects(self):
        return sorted({subject for subject, _, _ in self.cells})

    def groups(self, subject):
        return sorted({group for seen, group, _ in self.cells if seen == subject})

    def expected(self, subject):
        """What /totals answers at one period for every group of a subject."""
        answer = {}
        for (seen, group, name), value in self.cells.items():
            if seen == subject:
                answer.setdefault(written(group), {})[name] = value
        return answer


def written(group):
    """A dimension as answers write it: `_`, `country`, `["country", "US"]`."""
    if not group:
        return "_"
    return group[0] if len(group) == 1 else json.dumps(list(group), ensure_ascii=False)


def normalized(name):
    """A dimension's key, whatever spaces or escapes its JSON has."""
    return written(tuple(json.loads(name))) if name.startswith("[") else name


PERIODS = ["1m:1h", "1d:1mo", "all"]


def check(agent, ledger, subjects=None):
    """Reads every subject at every group and every period, and compares exactly."""
    for subject in subjects or ledger.subjects():
        expected = ledger.expected(subject)
        groups = [list(group) if group else ["_"] for group in ledger.groups(subject)]
        answer = agent.client.post(
            "/totals",
            json={
                "pk": list(subject), "dimensions": groups, "metrics": ["hits", "revenue", "sales"], "periods": PERIODS,
            },
        )
        assert answer.status_code == 200, answer.text
        totals = json.loads(answer.text, parse_float=decimal.Decimal, parse_int=decimal.Decimal)
        for period in PERIODS:
            read = {normalized(name): values for name, values in totals[period].items()}
            assert read == expected, f"{subject} at {period}"
