"""A thousand keys, and a million: what a key costs in time and in memory."""
import subprocess

import data
import standard_job
from contest import Contestant, contest, say

PEERS = ["duckdb"]
FEW = 1_000
COUNTS = ["aggregate", "--by", "key", "count", "sum:value", "avg:value", "min:value", "max:value"]
NO_LIMIT = ["--max-keys", "100000000"]
ALL = [*standard_job.AGGREGATE, *NO_LIMIT]


def run(args):
    many = args.lines
    rows = compared(args, many)
    if args.quick:
        return rows
    if takes_memory():
        rows += with_little_memory(args, 10 * many)
    else:
        say("keys: this aggregate has no --memory; ten times as many keys are left out")
    return rows


def compared(args, many):
    """Two lines for each key, if there are many; random, so 86 % of the keys are there."""
    lines = 2 * many
    rows = []
    for keys in (FEW, many):
        file = data.requests(args, lines, "--keys", str(keys))
        check = lambda result: standard_job.counted(result, lines)
        contestants = {"millpipe": Contestant([ALL], file, check), "duckdb": standard_job.duckdb(args, "keys 0", file, check),
                       "millpipe without percentiles": Contestant([COUNTS + NO_LIMIT], file, check),
                       "duckdb without percentiles": standard_job.duckdb(args, "counts 0", file, check)}
        rows += contest(args, f"{keys:,} keys, {lines:,} lines", contestants, "millpipe", agree=["cells"])
    few = {row["system"]: row for row in rows if row["cells"] <= FEW}
    for row in rows:
        before = few.get(row["system"])
        if before and row is not before and row["cells"] > before["cells"]:
            more = (row["memory_mib"] - before["memory_mib"]) * (1 << 20)
            row["bytes_per_key"] = round(more / (row["cells"] - before["cells"]))
    return rows


def takes_memory():
    said = subprocess.run(["aggregate", "--help"], capture_output=True, text=True, check=True).stdout
    return "--memory <" in said


def with_little_memory(args, keys):
    """Without percentiles, once: it takes long."""
    file = data.requests(args, 2 * keys, "--keys", str(keys))
    check = lambda result: standard_job.counted(result, 2 * keys)
    base = "millpipe without limit"
    contestants = {base: Contestant([COUNTS + NO_LIMIT], file, check),
                   "duckdb": standard_job.duckdb(args, "counts 0", file, check)}
    contestants |= {f"millpipe --memory {size}": Contestant([[*COUNTS, "--memory", size]], file, check)
                    for size in ("64MiB", "256MiB")}
    for contestant in contestants.values():
        contestant.rounds = 1
    return contest(args, f"{keys:,} keys, {2 * keys:,} lines", contestants, base, agree=["cells"])


def profiled(args):
    return [ALL], data.requests(args, 2 * args.lines, "--keys", str(args.lines))
