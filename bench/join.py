#!/usr/bin/env python3
"""What stream-join takes with ten million lines on each side and a bound of a minute.

    PATH=target/release:$PATH python3 bench/join.py [--lines 20200000] [CASE…]

Lines are requests of a million users, 10,000 in a second of event time, up to two seconds in disorder: half of them left, half
of them right, by their value. A left line meets the right ones of its user at most a minute away. Cases: even; one side idle;
one much faster; lines late on both sides; little memory.
"""
import argparse
import json
import tempfile
from pathlib import Path

import pipeline

MEDIAN, RARE = "20.1", "150"
JOIN = ["stream-join", "--on", "key", "--time", "timestamp", "--within", "1m", "--others", "drop", "-v",
        "--left-fields", "key,left=value,at=timestamp", "--right-fields", "right=value,path,host"]
# The value above which a line is right, the disorder of lines, and more flags.
CASES = {
    "even": (MEDIAN, "2s", []),
    "right idle": ("1000000", "2s", []),
    "left much faster": (RARE, "2s", []),
    "late on both sides": (MEDIAN, "90s", []),
    "80 MiB": (MEDIAN, "2s", ["--memory", "80MiB"]),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"of {', '.join(CASES)} (all)")
    parser.add_argument("--lines", type=int, default=20_200_000)
    args = parser.parse_args()
    for case in args.cases or CASES:
        print(json.dumps({"case": case, "lines": args.lines} | measure(args.lines, *CASES[case])), flush=True)


def measure(lines, border, disorder, more):
    with tempfile.TemporaryDirectory(prefix="millpipe-join-") as folder:
        source, result = Path(folder) / "empty", Path(folder) / "result"
        source.touch()
        stages = [
            ["generate", "--lines", str(lines), "--keys", "1000000", "--event-rate", "10000/s", "--out-of-order", disorder],
            ["watermark", "--lateness", "2s", "--every", "1s"],
            [*JOIN, "--left", f".value < {border}", "--right", f".value >= {border}", *more],
        ]
        ran = pipeline.run(stages, str(source), str(result))
        return {key: value for key, value in ran.items() if key != "said"}


if __name__ == "__main__":
    main()
