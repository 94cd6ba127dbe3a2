"""A thousand keys, and a million, without windows: what a key costs in time and in memory."""
import data
import same_rows
import standard_job
from contest import Contestant, contest

PEERS = [*standard_job.FAST_PEERS]
FEW = 1_000
COUNTS = ["aggregate", "--by", "key", "count", "sum:value"]
NO_LIMIT = ["--max-keys", "100000000"]
ALL = [*standard_job.AGGREGATE, *NO_LIMIT]
LINES_OF_KEY = 5
BASE = "millpipe"
ROUNDS = 3


def run(args):
    """Five lines for each key, if there are as many keys as lines asked for."""
    lines = LINES_OF_KEY * args.lines
    rows = []
    for keys in (FEW, args.lines):
        file = data.requests(args, lines, "--keys", str(keys))
        ours = {BASE: [*COUNTS, *NO_LIMIT], "millpipe --threads 2": [*COUNTS, *NO_LIMIT, "--threads", "2"]}
        ours |= {"millpipe --memory 64MiB": [*COUNTS, "--memory", "64MiB"]} if keys > FEW else {}
        rows += compared(args, f"{keys:,} keys, {lines:,} lines, count and sum", file, lines, ours, "counts")
    rows += compared(args, f"{keys:,} keys, {lines:,} lines, all nine results", file, lines, {BASE: ALL}, "keys")
    few = {row["system"]: row for row in rows if row["cells"] <= FEW}
    for row in rows:
        before = few.get(row["system"])
        if before and "count and sum" in row["table"] and row["cells"] > before["cells"]:
            more = (row["memory_mib"] - before["memory_mib"]) * (1 << 20)
            row["bytes_per_key"] = round(more / (row["cells"] - before["cells"]))
    return rows


def compared(args, title, file, lines, ours, job):
    check = lambda result: standard_job.counted(result, lines)
    contestants = {name: Contestant([stage], file, check, read=same_rows.groups) for name, stage in ours.items()}
    contestants |= {name: standard_job.peer(args, name, job, file, check) for name in PEERS}
    return contest(args, title, contestants, BASE, agree=["cells"], rounds=ROUNDS)


def profiled(args):
    return [ALL], data.requests(args, 2 * args.lines, "--keys", str(args.lines))
