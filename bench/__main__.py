"""What scripts/bench runs: chooses cases, runs them, prints and keeps what they took."""
import argparse
import importlib
import os
import sys
import time

import hottest
import instructions
import peers
import published
import report
from contest import say

# A case NAME is the file NAME.py (or as below) with `run(args)`, which returns rows of figures: "table", "system", and what
# report.HEADINGS names. PEERS says whom it needs; `profiled(args)`, if it is there, a pipeline and its input.
CASES = ["file", "mixed", "hopping", "keys", "join", "select", "derive", "detect", "match-pattern", "parallel-map", "kafka", "hops", "threads", "shard",
         "latency", "barriers", "start-up", "memory"]
# Those in which others take part: what --compared runs, for the table at the top of the page.
COMPARED = ["file", "mixed", "hopping", "keys", "join", "select", "parallel-map", "kafka"]
FILES = {"kafka": "kafka_ends", "select": "select_lines"}
# What one look at all cases takes for a line, so that it ends after a minute.
QUICK_LINES, LINES = 50_000, 1_000_000


def main():
    args = arguments()
    if args.needs:
        print("\n".join(needs(args)))
    elif args.list:
        for name in CASES:
            print(f"{name:13} {about(name)}")
    elif args.instructions:
        sys.exit(instructions.run(args))
    elif args.profile:
        hottest.run(args, args.profile, module(args.profile))
    else:
        for name in args.cases:
            run_case(name, args)


def run_case(name, args):
    since = time.monotonic()
    case = module(name)
    rows = [{"case": name} | row for row in case.run(args)]
    for row in rows:
        row.pop("runs", None)
    told = report.facts(args, {"lines": args.lines}, peers.versions(args, chosen_peers(case, args)))
    missing = [name for name in chosen_peers(case, args) if name in args.missing]
    text = report.page_text(rows, told, command(name, args), missing)
    print(f"## {name}: {about(name)}\n\n{text}", flush=True)
    if args.page:
        report.put_into(args.page, [f"{name}, {args.lines} lines", name], text)
        if name in COMPARED:
            published.keep(args, told, command(name, args), rows)
            published.put_summary(args)
    if args.history:
        report.append(args.history, told, rows)
    say(f"{name} took {time.monotonic() - since:.0f} s")


def module(name):
    return importlib.import_module(FILES.get(name, name.replace("-", "_")))


def about(name):
    return module(name).__doc__.splitlines()[0]


def chosen_peers(case, args):
    return [name for name in case.PEERS if args.systems is None or any(name in system.split() for system in args.systems)]


def command(name, args):
    """How to have these figures again."""
    flags = ["--quick"] * args.quick + [f"--lines {args.lines}"] * (args.lines != (QUICK_LINES if args.quick else LINES))
    flags += [f"--rounds {args.rounds}"] * (args.rounds != (2 if args.quick else 5))
    flags += [f"--systems '{','.join(args.systems or [])}'"] * (args.systems is not None)
    return " ".join(["scripts/bench", name, *flags])


def needs(args):
    """Lines for scripts/bench: programs that must be there, and Rust packages that only some cases need."""
    if args.list:
        return ["nothing"]
    if args.instructions:
        return ["must valgrind"]
    names = [args.profile] if args.profile else args.cases
    packages = ["kafka-cat-in", "kafka-cat-out"] if {"kafka", "start-up"} & set(names) else []
    if args.profile:
        told = ["must valgrind"]
    else:
        told = peers.needed({peer for name in names for peer in chosen_peers(module(name), args)})
    return told + [" ".join(["packages", *packages])] * bool(packages)


def arguments():
    parser = argparse.ArgumentParser(prog="scripts/bench", description="What it takes, and what it takes others.",
                                     epilog="cases: " + ", ".join(CASES))
    parser.add_argument("cases", nargs="*", metavar="CASE", help="which cases (default all)")
    parser.add_argument("--list", action="store_true", help="say what the cases are")
    parser.add_argument("--lines", type=int, metavar="N", help=f"the unit of all sizes (default {LINES}); file takes 5 and 20 times as many")
    parser.add_argument("--rounds", type=int, metavar="N", help="rounds, in turns (default 5; 1 for what is very slow)")
    parser.add_argument("--quick", action="store_true", help=f"a look: {QUICK_LINES} lines and 2 rounds, fewer variants")
    parser.add_argument("--systems", metavar="NAMES", type=lambda text: text.split(","),
                        help="of the systems of a case only these, as: millpipe,duckdb")
    parser.add_argument("--history", metavar="FILE", help="append the results as NDJSON")
    parser.add_argument("--compared", action="store_true", help=f"the cases in which others take part: {', '.join(COMPARED)}")
    parser.add_argument("--page", metavar="FILE", action="append", default=[],
                        help="put the tables into a page, in the places of the old ones (more than once: whichever has the place)")
    parser.add_argument("--profile", metavar="CASE", help="where the time of our stages goes in this case, with flame graphs")
    parser.add_argument("--instructions", action="store_true", help="count instructions for each line, which load does not change")
    parser.add_argument("--check", action="store_true", help="with --instructions: fail if they are more than those that are kept")
    parser.add_argument("--write", action="store_true", help="with --instructions: keep them")
    for hidden in ("--work", "--python", "--commit"):
        parser.add_argument(hidden, default="", help=argparse.SUPPRESS)
    parser.add_argument("--missing", default=[], type=str.split, help=argparse.SUPPRESS)
    parser.add_argument("--needs", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    unknown = sorted(set(filter(None, [*args.cases, args.profile])) - set(CASES))
    if unknown:
        parser.error(f"no case {', '.join(unknown)}; there are: {', '.join(CASES)}")
    args.cases = args.cases or (COMPARED if args.compared else CASES)
    args.lines = args.lines or (QUICK_LINES if args.quick else LINES)
    args.rounds = args.rounds or (2 if args.quick else 5)
    return args


if __name__ == "__main__":
    os.environ.pop("MILLPIPE_METRICS", None)
    main()
