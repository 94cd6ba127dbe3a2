#!/usr/bin/env python3
"""Runs the standard job in several systems, in turns, and says what each took. scripts/bench prepares and calls it.

Every system reads the same file of requests and writes, per user and 10 s, the count, sum, average, minimum, maximum
and four percentiles, as NDJSON. `cat FILE | wc -l` is the floor: what it takes to read the file through one pipe.
Wall time is from the first start to the last exit. CPU is user + system of all processes. Memory is the sum of the
processes' peaks. A run whose counts do not add up to the lines of the file fails the whole benchmark.
"""
import argparse
import datetime
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
OURS = "millpipe"
SLOW = ("miller", "jq")  # Of these one round is enough, and not of many lines.


def systems(file, result, python):
    """Name to pipeline: a list of commands; the last one writes to `result`, unless it does so itself."""
    window = ["window", "--size", "10s", "--time", "timestamp", "--lateness", "2s"]
    aggregate = ["aggregate", "--by", "key", "count", "sum:value", "avg:value", "min:value", "max:value",
                 "p50:value", "p90:value", "p95:value", "p99:value"]
    floor_time = '$window_start = substr($timestamp, 0, 17) . "0Z"'
    return {
        "cat | wc -l": [["cat", file], ["wc", "-l"]],
        OURS: [window, aggregate],
        "duckdb": [[python, str(HERE / "duckdb_job.py"), file, result]],
        "python": [[sys.executable, str(HERE / "plain.py")]],
        "miller": [["mlr", "--ijsonl", "--ojsonl", "put", floor_time, "then", "stats1", "-i", "-a",
                    "count,sum,mean,min,max,p50,p90,p95,p99", "-f", "value", "-g", "window_start,key"]],
        "jq": [["jq", "-cn", "-f", str(HERE / "job.jq")]],
    }


def main():
    args = arguments()
    if args.needs:
        print("\n".join(args.systems))
        return
    work = Path(args.work)
    file, result = str(work / f"requests-{args.lines}.ndjson"), str(work / "result.ndjson")
    pipelines = {name: stages for name, stages in systems(file, result, args.python).items() if name in args.systems}
    make_data(file, args)
    runs = {name: [] for name in pipelines}
    for round_number in range(args.rounds):
        for name, stages in pipelines.items():
            if round_number >= 1 and name in SLOW:
                continue
            say(f"round {round_number + 1} of {args.rounds}: {name}")
            Path(result).unlink(missing_ok=True)
            runs[name].append(measure(stages, file, result))
            if name != "cat | wc -l":
                runs[name][-1].update(verify(name, result, args.lines, work))
    rows = [summary(name, taken, runs) for name, taken in runs.items() if taken]
    facts = conditions(args, file)
    print(table(rows, facts))
    if args.page:
        put_into(Path(args.page), args.lines, table(rows, facts))
    if args.history:
        with open(args.history, "a") as history:
            for row in rows:
                history.write(json.dumps(facts | row) + "\n")


def arguments():
    names = list(systems("", "", "python3"))
    parser = argparse.ArgumentParser(prog="scripts/bench", description="The standard job against other systems.")
    parser.add_argument("--lines", type=int, metavar="N", help="lines of input (default 1000000)")
    parser.add_argument("--rounds", type=int, metavar="N", help="rounds, in turns (default 5; 1 for jq and Miller)")
    parser.add_argument("--quick", action="store_true", help="100000 lines and 2 rounds, unless said otherwise")
    parser.add_argument("--systems", metavar="NAMES", type=lambda text: text.split(","), default=names,
                        help=f"some of: {','.join(names)}")
    parser.add_argument("--history", metavar="FILE", help="append the results as NDJSON")
    parser.add_argument("--page", metavar="FILE", help="put the table into a page, in the place of the one for as many lines")
    parser.add_argument("--work", metavar="DIR", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--python", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--needs", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--commit", default="", help=argparse.SUPPRESS)
    args = parser.parse_args()
    lines, rounds = (100_000, 2) if args.quick else (1_000_000, 5)
    args.lines, args.rounds = args.lines or lines, args.rounds or rounds
    unknown = set(args.systems) - set(names)
    if unknown:
        parser.error(f"no system {', '.join(sorted(unknown))}; there are: {', '.join(names)}")
    return args


def make_data(file, args):
    """10,000 lines per second of event time, 1,000 users, up to 2 s out of order, about 150 bytes a line."""
    if Path(file).exists():
        return
    say(f"writing {args.lines} lines of data")
    with open(file + ".new", "w") as out:
        subprocess.run(["generate", "--lines", str(args.lines), "--out-of-order", "2s"], stdout=out, check=True)
    os.rename(file + ".new", file)


def measure(stages, file, result):
    """Starts all stages joined by pipes, waits for all, and adds up what they took."""
    start = time.perf_counter()
    children, stdin = [], open(file, "rb")
    for at, stage in enumerate(stages):
        last = at + 1 == len(stages)
        # One that writes its result itself must not find an open file there.
        stdout = subprocess.PIPE if not last else open(result + ".out", "wb")
        children.append(subprocess.Popen(stage, stdin=stdin, stdout=stdout))
        stdin.close()
        stdin = children[-1].stdout
        if last:
            stdout.close()
    peaks_kib = watch(children)
    wall = time.perf_counter() - start
    for stage, child in zip(stages, children):
        if child.status != 0:
            sys.exit(f"bench: {stage[0]} ended with {child.status}")
    if not Path(result).exists():
        os.rename(result + ".out", result)
    cpu = sum(child.usage.ru_utime + child.usage.ru_stime for child in children)
    return {"wall_s": wall, "cpu_s": cpu, "memory_mib": sum(peaks_kib) / 1024}


def watch(children):
    """Waits for all; a process's peak is read while it lives: what wait4 tells includes the program that forked it."""
    peaks = [0] * len(children)
    running = set(range(len(children)))
    while running:
        for at in list(running):
            pid, status, usage = os.wait4(children[at].pid, os.WNOHANG)
            if pid:
                children[at].status = children[at].returncode = os.waitstatus_to_exitcode(status)
                children[at].usage = usage
                running.discard(at)
            else:
                peaks[at] = max(peaks[at], peak_kib(children[at].pid))
        time.sleep(0.002)
    return peaks


def peak_kib(pid):
    try:
        with open(f"/proc/{pid}/status") as status:
            return next((int(line.split()[1]) for line in status if line.startswith("VmHWM")), 0)
    except OSError:
        return 0


def verify(name, result, lines, work):
    """The counts add up to the lines of the input; cells are counted."""
    cells = total = 0
    with open(result) as rows:
        for row in rows:
            row = json.loads(row)
            cells += 1
            total += row["count"] if "count" in row else row["value_count"]
    if total != lines:
        sys.exit(f"bench: {name} counted {total} of {lines} lines")
    return {"cells": cells}


def summary(name, taken, runs):
    row = {"system": name, "rounds": len(taken), "cells": taken[0].get("cells")}
    for figure in ("wall_s", "cpu_s", "memory_mib"):
        values = [run[figure] for run in taken]
        row[figure] = round(statistics.median(values), 3)
        row[figure + "_range"] = [round(min(values), 3), round(max(values), 3)]
    ours = runs.get(OURS)
    if ours:
        # Of the same rounds: a machine that slows down does so for both.
        pairs = list(zip(taken, ours))
        for figure in ("wall_s", "cpu_s", "memory_mib"):
            row["ratio_" + figure] = round(statistics.median(a[figure] / b[figure] for a, b in pairs), 2)
    return row


def conditions(args, file):
    versions = {name: version(name, args.python) for name in args.systems if name in ("duckdb", "python", "miller", "jq")}
    return {
        "at": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "commit": args.commit, "lines": args.lines, "bytes": os.path.getsize(file), "machine": machine(),
        "load_1min": round(os.getloadavg()[0], 2), "versions": versions,
    }


def version(name, python):
    command = {"duckdb": [python, "-c", "import duckdb; print(duckdb.__version__)"], "python": [sys.executable, "--version"],
               "miller": ["mlr", "--version"], "jq": ["jq", "--version"]}[name]
    words = subprocess.run(command, capture_output=True, text=True, check=True).stdout.replace("jq-", "").split()
    return words[-1]


def machine():
    with open("/proc/cpuinfo") as info:
        model = next((line.split(":")[1].strip() for line in info if line.startswith("model name")), platform.machine())
    with open("/proc/meminfo") as info:
        memory_gib = round(int(next(info).split()[1]) / (1 << 20))
    return f"{os.cpu_count()} × {model}, {memory_gib} GiB, Linux {platform.release().split('-')[0]}"


def table(rows, facts):
    versions = ", ".join(f"{name} {version}" for name, version in facts["versions"].items())
    text = (f"{facts['lines']:,} lines, {facts['bytes'] / 1e6:.0f} MB; {facts['machine']}; {facts['at'][:10]}, commit "
            f"{facts['commit'] or '?'}; {versions}.\nMedian (range) of the rounds; × is to {OURS}, within the same rounds.\n\n"
            "| system | wall s | × | CPU s | × | peak MiB | × | rounds |\n|---|---|---|---|---|---|---|---|\n")
    for row in rows:
        figures = []
        for figure, digits in (("wall_s", 2), ("cpu_s", 2), ("memory_mib", 0)):
            low, high = row[figure + "_range"]
            figures.append(f"{row[figure]:.{digits}f} ({low:.{digits}f}–{high:.{digits}f})")
            figures.append(f"{row.get('ratio_' + figure, '')}")
        text += "| " + " | ".join([row["system"].replace("|", "\\|"), *figures, str(row["rounds"])]) + " |\n"
    return text


def put_into(page, lines, text):
    start, end = f"<!-- {lines} lines -->\n", f"<!-- end of {lines} lines -->\n"
    before, found, rest = page.read_text().partition(start)
    if not found:
        sys.exit(f"bench: {page} has no place for {lines} lines: {start.strip()}")
    page.write_text(before + start + text + rest[rest.index(end):])


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
