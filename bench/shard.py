"""Copies of a sub-pipeline side by side, against one alone: what is gained where it is heavy, and what shard costs where it is not."""
import data
from contest import Contestant, contest

PEERS = []
ONE = "one, without shard"
HEAVY = "parallel-map -j 1 '.path |= (split(\"/\") | map(ascii_upcase) | join(\"/\")) | .ms = (.value * 1000 | floor)'"
SUB_PIPES = {
    "a jq program": (HEAVY, 5),
    "a jq program, ordered": (HEAVY, 5),
    "percentiles by another field": ("aggregate --by path p50:value p90:value p99:value --percentiles exact:1000000", 1),
    "a jq choice": ("parallel-map -j 1 'select(.status >= 500)'", 1),
    "window and aggregate": ("window --size 10s | aggregate --by key count p99:value", 1),
    "nothing (cat)": ("cat", 1),
}


def run(args):
    rows = []
    for name, (sub_pipe, part) in list(SUB_PIPES.items())[: 2 if args.quick else None]:
        file = marked(args, max(1, args.lines // part))
        flags = ["--ordered"] if name.endswith("ordered") else []
        by = "path" if "path p50" in sub_pipe else "key"
        shards = {f"shard -n {n}": Contestant([["shard", "--by", by, "-n", str(n), *flags, "--", sub_pipe]], file, lines_of) for n in (1, 2)}
        alone = {ONE: Contestant([["bash", "-o", "pipefail", "-c", sub_pipe]], file, lines_of)}
        rows += contest(args, name, alone | shards, ONE, agree=["lines"])
    return rows


def marked(args, lines):
    """With watermarks, as shard wants them."""
    file = data.requests(args, lines)
    return data.made(args, f"marked-{lines}.ndjson", ["watermark", "--lateness", "2s"], file)


def lines_of(result):
    """Data lines: marks are as many as the copies need."""
    with open(result, "rb") as file:
        return {"lines": sum(not line.startswith(b'{"$":') for line in file)}


def profiled(args):
    return [["shard", "--by", "key", "-n", "2", "--", "cat"]], marked(args, args.lines)
