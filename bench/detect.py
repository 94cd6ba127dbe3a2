"""Anomalies: how many lines a second of a processor judges, and what a key takes in memory."""
import data
from contest import Contestant, contest, with_bytes_per_key, with_rate

PEERS = []
BASE = "default"
DETECT = ["detect", "--by", "key"]
METHODS = {BASE: [], "--method robust": ["--method", "robust"]}
LINES_TIMES, KEYS = 2, 100
# The memory of a series is full after about 1,200 points; robust takes the same from the first one on.
POINTS = {BASE: 2_000, "--method robust": 10}
KEYS_OF_ROBUST = 100_000


def run(args):
    lines = LINES_TIMES * args.lines
    file = data.in_order(args, lines, KEYS)
    contestants = {name: Contestant([[*DETECT, *flags]], file) for name, flags in METHODS.items()}
    rows = with_rate(contest(args, f"{lines:,} lines of {KEYS} keys", contestants, BASE), lines)
    return rows + memory(args, BASE, max(1, args.lines // POINTS[BASE])) + memory(args, "--method robust", KEYS_OF_ROBUST)


def memory(args, name, keys):
    """What many keys take beyond what one takes in as many lines."""
    lines = keys * POINTS[name]
    title = f"memory of {keys:,} keys, {POINTS[name]:,} points each"
    taken = lambda many: contest(args, title, {name: Contestant([[*DETECT, *METHODS[name]]], data.in_order(args, lines, many))}, name, rounds=1)
    return with_bytes_per_key(taken(1), taken(keys), keys)


def profiled(args):
    return [DETECT], data.in_order(args, args.lines, KEYS)
