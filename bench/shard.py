"""Copies of a sub-pipeline side by side, against one alone: what is gained where it is heavy, and what shard costs where it is not."""
import subprocess
from dataclasses import dataclass
from pathlib import Path

import data
from contest import Contestant, contest

PEERS = ["jq"]
ONE = "one, without shard"
JQ = ".path |= (split(\"/\") | map(ascii_upcase) | join(\"/\")) | .ms = (.value * 1000 | floor)"
SLIDING = ("window", "--size", "60s", "--slide", "1s", "--lateness", "2s")


@dataclass
class Case:
    sub_pipe: str
    part: int = 1  # of the lines asked for, one in so many: heavy ones take long
    flags: tuple = ()
    before: tuple = ("watermark", "--lateness", "2s")  # who makes time
    halves: bool = False  # also two copies without shard, on half of the lines each: what two cores of this machine can do


CASES = {
    "jq itself": Case(f"jq -c '{JQ}'", part=20, halves=True),
    "a jq program": Case(f"parallel-map -j 1 '{JQ}'", halves=True),
    "a jq program, ordered": Case(f"parallel-map -j 1 '{JQ}'", flags=("--ordered",)),
    "exact percentiles of sliding windows": Case(
        "aggregate --by key p50:value p90:value p95:value p99:value --percentiles exact:1000000", before=SLIDING),
    "a jq choice": Case("parallel-map -j 1 'select(.status >= 500)'"),
    "window and aggregate": Case("window --size 10s | aggregate --by key count p99:value"),
    "nothing (cat)": Case("cat"),
}


def run(args):
    rows = []
    for name, case in list(CASES.items())[: 2 if args.quick else None]:
        file = input_of(args, case)
        contestants = {ONE: Contestant([bash(case.sub_pipe)], file, lines_of)}
        if case.halves:
            contestants["two, half each, without shard"] = Contestant([bash(halves(args, case, file))], file, lines_of)
        for n in (1, 2):
            contestants[f"shard -n {n}"] = Contestant([sharded(n, case)], file, lines_of)
        rows += contest(args, name, contestants, ONE, agree=["lines"])
    return rows


def bash(script):
    return ["bash", "-o", "pipefail", "-c", script]


def sharded(n, case):
    return ["shard", "--by", "key", "-n", str(n), *case.flags, "--", case.sub_pipe]


def halves(args, case, file):
    """Both copies as a script, each with a file of its own at both ends."""
    paths = [f"{file}.half-{half}" for half in "ab"]
    if not all(map(Path.exists, map(Path, paths))):
        subprocess.run(["split", "-n", "l/2", "-a", "1", file, f"{file}.half-"], check=True)
    outs = [str(Path(args.work) / f"result-{half}") for half in "ab"]
    one, two = (f"{case.sub_pipe} < {path} > {out}" for path, out in zip(paths, outs))
    return f"{one} & {two}; wait; cat {' '.join(outs)}"


def input_of(args, case):
    """With time in it, as shard wants its lines."""
    lines = max(1, args.lines // case.part)
    return data.made(args, f"{case.before[0]}-{lines}.ndjson", list(case.before), data.requests(args, lines))


def lines_of(result):
    """Data lines: marks are as many as the copies need."""
    with open(result, "rb") as file:
        return {"lines": sum(not line.startswith(b'{"$":') for line in file)}


def profiled(args):
    case = CASES["nothing (cat)"]
    return [sharded(2, case)], input_of(args, case)
