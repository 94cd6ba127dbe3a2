#!/usr/bin/env python3
"""An interval join of two kinds of lines that share a file: a minute apart at most, against DuckDB's inequality join.

    scripts/bench join
    PATH=target/release:$PATH python3 bench/join.py [--lines 20200000] [SHAPE…]

Lines are requests of a million users, 10,000 in a second of event time, up to two seconds in disorder: half of them left, half
of them right, by their value. A left line meets the right ones of its user at most a minute away. Run as a program, it tells what
stream-join takes with ten million lines on each side, in these shapes: even; one side idle; one much faster; lines late on both
sides; little memory.
"""
import argparse
import json
import tempfile
from pathlib import Path

import data
import pipeline
import same_rows
import standard_job
from contest import Contestant, contest

PEERS = ["duckdb"]
MEDIAN, RARE = "20.1", "150"
JOIN = ["stream-join", "--on", "key", "--time", "timestamp", "--within", "1m", "--others", "drop",
        "--left-fields", "key,left=value,at=timestamp", "--right-fields", "right=value,path,host"]
WATERMARK = ["watermark", "--lateness", "2s", "--every", "1s"]
REQUESTS = ["--keys", "1000000", "--event-rate", "10000/s"]
LINES_TIMES, ROUNDS = 3, 3
# The value above which a line is right, the disorder of lines, and more flags.
CASES = {
    "even": (MEDIAN, "2s", []),
    "right idle": ("1000000", "2s", []),
    "left much faster": (RARE, "2s", []),
    "late on both sides": (MEDIAN, "90s", []),
    "80 MiB": (MEDIAN, "2s", ["--memory", "80MiB"]),
}


def run(args):
    lines = LINES_TIMES * args.lines
    file = data.requests(args, lines, *REQUESTS)
    contestants = {
        "watermark | stream-join": Contestant([WATERMARK, [*join(MEDIAN), "--plain"]], file, read=same_rows.lines),
        "duckdb": standard_job.peer(args, "duckdb", f"join:1:{MEDIAN}", file, lambda result: {}, same_rows.lines),
    }
    return contest(args, f"{lines:,} lines, a million keys, within a minute", contestants, "watermark | stream-join", rounds=ROUNDS)


def join(border):
    return [*JOIN, "--left", f".value < {border}", "--right", f".value >= {border}"]


def main():
    parser = argparse.ArgumentParser(description="what stream-join takes with many lines on each side")
    parser.add_argument("cases", nargs="*", metavar="SHAPE", help=f"of {', '.join(CASES)} (all)")
    parser.add_argument("--lines", type=int, default=20_200_000)
    args = parser.parse_args()
    for case in args.cases or CASES:
        print(json.dumps({"case": case, "lines": args.lines} | measure(args.lines, *CASES[case])), flush=True)


def measure(lines, border, disorder, more):
    with tempfile.TemporaryDirectory(prefix="millpipe-join-") as folder:
        source, result = Path(folder) / "empty", Path(folder) / "result"
        source.touch()
        stages = [
            ["generate", "--lines", str(lines), *REQUESTS, "--out-of-order", disorder],
            WATERMARK,
            [*join(border), "-v", *more],
        ]
        ran = pipeline.run(stages, str(source), str(result))
        return {key: value for key, value in ran.items() if key != "said"}


def profiled(args):
    return [WATERMARK, join(MEDIAN)], data.requests(args, args.lines, *REQUESTS)


if __name__ == "__main__":
    main()
