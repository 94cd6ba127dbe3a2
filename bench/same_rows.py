"""Whether two results have the same rows, however each system writes a number or a time, and in whatever order."""
import json
import re

# Percentiles of more values than this are within 1 % of ours by a sketch, and exact in others.
EXACT_UP_TO = 512
TIME = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(\.\d+)?Z?")
KEYS = ("window_start", "key")


def different(ours, theirs, read):
    """Says what differs between the files of two results, or nothing."""
    ours, theirs = read(ours), read(theirs)
    if len(ours) != len(theirs):
        return f"{len(theirs)} rows, and {len(ours)} here"
    for key, row in ours.items():
        other = theirs.get(key)
        if other is None or not alike(row, other):
            return f"{key} has {other}, and {row} here"
    return ""


def groups(path):
    """Window and key to the group's numbers; Miller names them after the field."""
    rows = {}
    for row in map(json.loads, open(path)):
        key = tuple(moment(row[name]) for name in KEYS if name in row)
        numbers = {name.removeprefix("value_"): value for name, value in row.items() if name not in (*KEYS, "window_end")}
        rows[key] = {"avg" if name == "mean" else name: value for name, value in numbers.items()}
    return rows


def lines(path):
    """Row to how often it comes; 29 and 29.0 are one number."""
    counts = {}
    for line in open(path):
        row = json.loads(line, parse_int=float)
        if isinstance(row, dict):
            row = sorted((name, moment(value)) for name, value in row.items())
        text = json.dumps(row)
        counts[text] = {"times": counts.get(text, {"times": 0})["times"] + 1}
    return counts


def moment(value):
    """A time as all write it: no zone, no blank, no zeros at its end."""
    found = TIME.fullmatch(value) if isinstance(value, str) else None
    if not found:
        return value
    day, clock, fraction = found.groups()
    return f"{day}T{clock}{(fraction or '').rstrip('0').rstrip('.')}"


def alike(ours, theirs):
    """The same numbers: sums but for the last digits, as others add doubles in some order."""
    is_sketch = ours.get("count", 0) > EXACT_UP_TO
    for name, value in ours.items():
        # Beyond 1 % a sketch may name the value beside the one that is meant, where these are far apart.
        tolerance = 0.05 if is_sketch and re.fullmatch(r"p\d+", name) else 1e-9
        if name not in theirs or abs(theirs[name] - value) > tolerance * max(1e-9, abs(value)):
            return False
    return True
