"""The standard job in several systems: per user and 10 s the count, sum, average, minimum, maximum and four percentiles."""
import json
import sys
from pathlib import Path

from contest import Contestant

HERE = Path(__file__).resolve().parent
OURS = "millpipe"
FLOOR = "cat | wc -l"
WINDOW = ["window", "--size", "10s", "--time", "timestamp", "--lateness", "2s"]
RESULTS = ["count", "sum:value", "avg:value", "min:value", "max:value", "p50:value", "p90:value", "p95:value", "p99:value"]
AGGREGATE = ["aggregate", "--by", "key", *RESULTS]


def contestants(args, file, lines):
    """Name to contestant; the slow ones are run once: they are far enough apart."""
    check = lambda result: counted(result, lines)
    floor_time = '$window_start = substr($timestamp, 0, 17) . "0Z"'
    miller = ["mlr", "--ijsonl", "--ojsonl", "put", floor_time, "then", "stats1", "-i", "-a",
              "count,sum,mean,min,max,p50,p90,p95,p99", "-f", "value", "-g", "window_start,key"]
    return {
        FLOOR: Contestant([["cat", file], ["wc", "-l"]], file),
        OURS: Contestant([WINDOW, AGGREGATE], file, check),
        "duckdb": duckdb(args, "tumbling 10", file, check),
        "python": Contestant([[sys.executable, str(HERE / "plain.py")]], file, check),
        "miller": Contestant([miller], file, check, rounds=1),
        "jq": Contestant([["jq", "-cn", "-f", str(HERE / "job.jq")]], file, check, rounds=1),
    }


def duckdb(args, job, file, check):
    result = str(Path(args.work) / "result")
    return Contestant([[args.python, str(HERE / "duckdb_job.py"), *job.split(), file, result]], file, check)


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
    ours = next((row for row in rows if row["system"] == OURS), None)
    if not ours:
        return []
    each = lambda seconds: round(seconds / lines * 1e9, 1)
    return [{"table": "where the time of millpipe goes", "system": part["stage"], "user_ns": each(part["user_s"]),
             "system_ns": each(part["system_s"]), "memory_mib": round(part["memory_mib"], 1)} for part in ours["parts"]]


def fast_enough(contestants, lines, lines_max_of_slow):
    """Without those that are run once only, where there are more lines than they can take."""
    return {name: one for name, one in contestants.items() if lines <= lines_max_of_slow or not one.rounds}
