"""A seeded mixture of counters, gauges, timers and sets and, worked out independently, what is to be read."""

import collections
import decimal
import random

COUNTRIES = ["US", "DE", "JP"]


class Sample:
    """One thing that a client is told."""

    def __init__(self, source, can_tag, can_set):
        self.kind = source.choices(["count", "gauge", "timing", "set"], [4, 2, 3, 1 if can_set else 0])[0]
        self.name = f"{self.kind}{source.randint(0, 2)}"
        self.country = source.choice(COUNTRIES) if can_tag and source.random() < 0.7 else None
        match self.kind:
            case "count":
                self.value = decimal.Decimal(source.randint(-500_000, 900_000)) / source.choice([1, 100, 1_000_000])
            case "gauge":
                self.value = decimal.Decimal(source.randint(-9_999, 9_999)) / source.choice([1, 8])
            case "timing":
                self.value = decimal.Decimal(source.randint(0, 10_000_000)) / 1_000
            case "set":
                self.value = f"user-{source.randint(0, 60)}"

    @property
    def text(self):
        """The value as every client here writes it: without an exponent."""
        return self.value if self.kind == "set" else f"{self.value:f}"

    @property
    def tags(self):
        return [f"country:{self.country}"] if self.country else []


class Mixture:
    """What one client is told, and what is to be read of it."""

    def __init__(self, seed, count, can_tag=True, can_set=True):
        source = random.Random(seed)
        self.samples = [Sample(source, can_tag, can_set) for _ in range(count)]
        self.cells = collections.defaultdict(list)
        for sample in self.samples:
            for group in {None, sample.country}:
                self.cells[sample.kind, sample.name, group].append(sample.value)

    def expected(self, group=None, also=()):
        """Every reading of a group; counters, timers and sets together with those of other mixtures."""
        answer = {}
        names = sorted({(kind, name) for kind, name, seen in self.cells if seen == group})
        for kind, name in names:
            values = [value for mixture in (self, *also) for value in mixture.cells[kind, name, group]]
            match kind:
                case "count":
                    answer[name] = sum(values)
                case "gauge" if not also:
                    answer[name] = values[-1]
                case "timing":
                    answer |= {f"{name}:count": len(values), f"{name}:sum": sum(values)}
                    answer |= {f"{name}:min": min(values), f"{name}:max": max(values)}
                case "set":
                    answer[name] = len(set(values))
        return answer
