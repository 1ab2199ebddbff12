# SPDX-License-Identifier: BSD-2-Clause
"""A strict parser of the text formats for metrics: OpenMetrics 1.0, and the older one
of Prometheus. What is wrong is an AssertionError."""

import math
import re

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"'
SAMPLE = re.compile(rf"({NAME})(?:\{{((?:{LABEL},)*{LABEL})\}})? (\S+)")
SUFFIXES = {"counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"], "info": ["_info"],
            "gauge": [""], "stateset": [""]}


def _value(text):
    assert re.fullmatch(r"[+-]?(?:\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|Inf)|NaN", text), text
    return float(text)


def _labels(text):
    pairs = re.findall(LABEL, text or "")
    assert len(dict(pairs)) == len(pairs), f"a label twice: {text}"
    return {name: re.sub(r"\\(.)", lambda part: {"n": "\n"}.get(part[1], part[1]), value)
            for name, value in pairs}


class Family:
    def __init__(self, name):
        self.name = name
        self.type = None
        self.unit = None
        self.help = None
        self.samples = {}  # {(name, ((label, value), ...)): number}


def _meta(families, line, current):
    keyword, name, rest = re.fullmatch(rf"# (HELP|TYPE|UNIT) ({NAME}) (.*)", line).groups()
    if current is None or current.name != name:
        assert name not in families, f"the samples of {name} are not together"
        current = families[name] = Family(name)
    field = keyword.lower()
    assert getattr(current, field) is None, f"twice: {line}"
    assert not current.samples, f"behind its samples: {line}"
    setattr(current, field, rest)
    return current


def _sample(family, line, older):
    match = SAMPLE.fullmatch(line)
    assert match, f"not a sample: {line!r}"
    name, labels = match[1], _labels(match[2])
    assert family, f"without a family: {line}"
    # The older format has the name of the sample as that of the family.
    suffixes = SUFFIXES[family.type] if not older or family.type == "histogram" else [""]
    assert name in [family.name + suffix for suffix in suffixes], f"{line} in {family.name}"
    key = name, tuple(sorted(labels.items()))
    assert key not in family.samples, f"twice: {line}"
    family.samples[key] = _value(match[match.lastindex])


def _check_histogram(family):
    series = {}
    for (name, labels), value in family.samples.items():
        labels = dict(labels)
        bound = labels.pop("le", None)
        parts = series.setdefault(tuple(sorted(labels.items())), {"buckets": []})
        if name.endswith("_bucket"):
            parts["buckets"].append((_value(bound), value))
        else:
            assert bound is None
            parts[name.rpartition("_")[2]] = value
    for parts in series.values():
        buckets = parts["buckets"]
        assert buckets == sorted(buckets) and buckets[-1] == (math.inf, parts["count"]), buckets
        assert [count for _, count in buckets] == sorted(count for _, count in buckets), buckets
        assert "sum" in parts


def parse(text, older=False):
    """{name: Family}."""
    families, current = {}, None
    assert text.endswith("\n")
    lines = text[:-1].split("\n")
    if not older:
        assert lines.pop() == "# EOF"
    for line in lines:
        if line.startswith("#"):
            current = _meta(families, line, current)
        else:
            _sample(current, line, older)
    for family in families.values():
        assert family.type in SUFFIXES and family.help, family.name
        assert not older or family.type in ("counter", "gauge", "histogram"), family.type
        assert not family.unit or family.name.endswith(f"_{family.unit}"), family.name
        if family.type == "histogram":
            _check_histogram(family)
        if family.type == "counter":
            assert older == family.name.endswith("_total"), family.name
            assert all(value >= 0 for value in family.samples.values())
    return families


def values(families):
    """{"name{label=value,...}": number} of all samples."""
    return {name + ("{" + ",".join(f"{key}={value}" for key, value in labels) + "}" if labels else ""): number
            for family in families.values() for (name, labels), number in family.samples.items()}
