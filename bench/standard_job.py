"""The standard job in several systems: per user and 10 s the count, sum, average, minimum, maximum and four percentiles."""
import json
import sys
from pathlib import Path

import same_rows
from contest import Contestant

HERE = Path(__file__).resolve().parent
OURS = "millpipe"
FLOOR = "cat | wc -l"
WINDOW = ["window", "--size", "10s", "--time", "timestamp", "--lateness", "2s"]
RESULTS = ["count", "sum:value", "avg:value", "min:value", "max:value", "p50:value", "p90:value", "p95:value", "p99:value"]
AGGREGATE = ["aggregate", "--by", "key", *RESULTS]
FAST_PEERS, SLOW_PEERS = ("duckdb", "chdb", "polars"), ("python", "miller", "jq")


def fast(args, file, lines):
    """Name to contestant: ours, and those that are about as fast."""
    check = lambda result: counted(result, lines)
    return {FLOOR: Contestant([["cat", file], ["wc", "-l"]], file), OURS: ours(file, check),
            **{name: peer(args, name, "tumbling:10", file, check) for name in FAST_PEERS}}


def slow(file, lines):
    """Those that are far slower, beside ours, and run once."""
    check = lambda result: counted(result, lines)
    floor_time = '$window_start = substr($timestamp, 0, 17) . "0Z"'
    miller = ["mlr", "--ijsonl", "--ojsonl", "put", floor_time, "then", "stats1", "-i", "-a",
              "count,sum,mean,min,max,p50,p90,p95,p99", "-f", "value", "-g", "window_start,key"]
    commands = {"python": [sys.executable, str(HERE / "plain.py")], "miller": miller,
                "jq": ["jq", "-cn", "-f", str(HERE / "job.jq")]}
    return {OURS: ours(file, check)} | {
        name: Contestant([command], file, check, rounds=1, peer=name, read=same_rows.groups)
        for name, command in commands.items()}


def ours(file, check):
    return Contestant([WINDOW, AGGREGATE], file, check, read=same_rows.groups)


def peer(args, name, job, file, check, read=same_rows.groups):
    """A job of jobs.py by one of those that are libraries for Python."""
    result = str(Path(args.work) / "result")
    return Contestant([[args.python, str(HERE / f"{name}_job.py"), job, file, result]], file, check, peer=name, read=read)


def exactly_once(args, file, lines):
    """The same from file to file, so that it survives any crash."""
    work = Path(args.work)
    state, result = str(work / "state"), str(work / "result")
    stages = [["file-cat-in", "--exactly-once", "--state", state, file], WINDOW, AGGREGATE,
              ["file-cat-out", "--single", result]]
    return Contestant(stages, file, lambda result: counted(result, lines), leaves=(state, f"{result}.millpipe"))


def counted(result, lines):
    """How many results there are; their counts add up to the lines of the input, or the benchmark ends."""
    cells = total = 0
    with open(result) as rows:
        for row in rows:
            row = json.loads(row)
            cells += 1
            total += row["count"] if "count" in row else row["value_count"]
    if total != lines:
        sys.exit(f"bench: {total} of {lines} lines are in the counts")
    return {"cells": cells}


def budget(rows, lines):
    """What a line costs in each stage of ours."""
    row = next((row for row in rows if row["system"] == OURS), None)
    if not row:
        return []
    each = lambda seconds: round(seconds / lines * 1e9, 1)
    return [{"table": "where the time of millpipe goes", "system": part["stage"], "user_ns": each(part["user_s"]),
             "system_ns": each(part["system_s"]), "memory_mib": round(part["memory_mib"], 1)} for part in row["parts"]]
