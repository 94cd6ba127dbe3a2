"""What scripts/nexmark runs: the queries of Nexmark on one stream of events, their rows compared or what they take measured."""
import argparse
import collections
import decimal
import hashlib
import json
import os
import statistics
import subprocess
import sys
import tarfile
from pathlib import Path

import flink
import pipeline
import published
import report
import same_rows
from contest import FIGURES, clear, read_once, say, summary

EXAMPLES = Path(__file__).parent.parent / "examples" / "nexmark"
QUERIES = [f"q{n}" for n in range(24)]
SMALL_EVENTS, SMALL_RATE = 10_000, 100
BENCH_EVENTS, BENCH_RATE = 2_000_000, 10_000
# Beside Flink: twice as many, and as many again, so that what one event more costs has nothing of the start of a process.
FURTHER_TIMES = 3
TABLE = "queries of Nexmark"
BID = "auction bidder price date_time extra".split()
# Of the queries whose rows are known by their sum.
MEMBERS = {
    "q0": BID, "q1": BID, "q10": [*BID, "dt", "hm"],
    "q23": "bidder price channel url bid_extra person_id name email_address credit_card city state person_extra item_name description "
           "initial_bid reserve auction_date_time expires seller category auction_extra".split(),
}


def main():
    args = arguments()
    if args.check_arguments:
        return
    events = made(args, args.events)
    if args.flink and args.bench:
        beside_flink(args)
    elif args.bench:
        measure(args, events)
    elif not all([answered(args, query, events) for query in args.queries]):
        sys.exit(1)


def arguments():
    parser = argparse.ArgumentParser(prog="scripts/nexmark", description="runs the queries of Nexmark")
    parser.add_argument("words", nargs="*", metavar="small|N|qN", help="how many events, and which queries (default: all)")
    parser.add_argument("--bench", action="store_true", help="measure instead of comparing")
    parser.add_argument("--flink", action="store_true", help="beside Flink SQL, which Maven fetches and which runs here: the same rows, "
                        "or with --bench in turns, on N events and on three times as many")
    parser.add_argument("--rounds", type=int, metavar="N", help="how often each is measured (3; with --flink 1, ours before and after it)")
    parser.add_argument("--page", metavar="FILE", action="append", default=[],
                        help="put the table of figures into FILE, in place of the old one (more than once: whichever has the place)")
    for own in ("--work", "--shared", "--commit", "--flink-folder"):
        parser.add_argument(own, help=argparse.SUPPRESS)
    parser.add_argument("--check-arguments", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    known = [query for query in QUERIES if flink.ways(query)] if args.flink else QUERIES
    args.queries = [word for word in args.words if word in QUERIES] or known
    if set(args.queries) - set(known):
        parser.error(f"--flink has SQL for {', '.join(known)}")
    args.rounds = args.rounds or (1 if args.flink else 3)
    args.flink = args.flink and (args.flink_folder or True)
    sizes = [word for word in args.words if word not in QUERIES]
    if len(sizes) > 1 or any(not (size == "small" or size.isdigit()) for size in sizes):
        parser.error(f"what is {sizes[-1]!r}? say small or a number of events, and queries like q5")
    size = sizes[0] if sizes else str(BENCH_EVENTS) if args.bench else "small"
    args.events = SMALL_EVENTS if size == "small" else int(size)
    args.rate = SMALL_RATE if args.events <= SMALL_EVENTS else BENCH_RATE
    args.is_small = args.events == SMALL_EVENTS
    return args


def made(args, events):
    """The file of so many events, made once."""
    path = Path(args.work) / f"events-{events}.ndjson"
    if not path.exists():
        say(f"making {events} events")
        command = ["generate", "--data", "nexmark", "--lines", str(events), "--event-rate", f"{args.rate}/s"]
        with open(f"{path}.part", "wb") as file:
            subprocess.run(command, stdout=file, check=True)
        os.rename(f"{path}.part", path)
    return str(path)


def command(args, query):
    """The query as a program; Q13 is given the table that it looks into."""
    side = Path(args.work) / "side_input.csv"
    if query == "q13" and not side.exists():
        side.write_text("key,value\n" + "".join(f"{n},{n}\n" for n in range(10_000)))
    return ["bash", str(EXAMPLES / f"{query}.sh"), *([str(side)] if query == "q13" else [])]


def answered(args, query, events):
    """Runs a query and says what came of it; False when its rows are not the expected ones."""
    result = str(Path(args.work) / f"{query}.ndjson")
    with open(events, "rb") as stdin, open(result, "wb") as stdout:
        ended = subprocess.run(command(args, query), stdin=stdin, stdout=stdout)
    if ended.returncode != 0:
        print(f"{query:4} ended with exit code {ended.returncode}")
        return False
    if query == "q12":
        add_up(result)
    rows = sum(1 for _ in open(result, "rb"))
    wrong = beside(args, query, events, result) if args.flink else differences(args, query, result) if args.is_small else None
    verdict = {None: "", "": ", as Flink gives them"}.get(wrong, f", not those that Flink gives:\n{wrong}")
    print(f"{query:4} {rows} rows{verdict}", flush=True)
    return not wrong


def beside(args, query, events, result):
    """What differs from the rows that Flink gives here and now."""
    theirs, said = f"{result}.flink", ""
    for way in flink.ways(query):
        flink.rows(args, way, events, theirs)
        said += same_rows.different(result, theirs, same_rows.lines)
    return said


def add_up(result):
    """Windows of the processing time are not those of another run; what they must add up to is."""
    bids = collections.Counter()
    for row in map(json.loads, open(result)):
        bids[row["bidder"]] += row["bid_count"]
    Path(result).write_text("".join(json.dumps({"bidder": bidder, "bid_count": n}) + "\n" for bidder, n in bids.items()))


def differences(args, query, result):
    """None where there is nothing to compare with, nothing if the rows are those expected, else what is different."""
    nexmark = Path(args.shared) / "nexmark"
    if not nexmark.is_dir():
        return None
    sys.path.insert(0, str(nexmark))
    import compare

    expected = Path(args.work) / "expected" / f"{query}.ndjson"
    if not expected.parent.exists():
        with tarfile.open(nexmark / "expected" / "small.tar.xz") as files:
            files.extractall(expected.parent, filter="data")
    if not expected.exists():
        return by_sum(nexmark, query, result)
    wanted, given = compare.read(str(expected), set()), compare.read(result, set())
    missing, extra = wanted - given, given - wanted
    shown = [f"  - {row}" for row in sorted(missing)[:3]] + [f"  + {row}" for row in sorted(extra)[:3]]
    return "\n".join(shown)


def by_sum(nexmark, query, result):
    """Rows that are too many to be kept are known by the sum of their lines in order."""
    lines = [line.split("\t") for line in (nexmark / "expected" / "RESULTS.tsv").read_text().splitlines()]
    wanted = next(line[4] for line in lines if line[0] == "small" and line[2] == query)
    rows = sorted(canonical(query, json.loads(line, parse_float=decimal.Decimal)) for line in open(result))
    given = hashlib.sha256("".join(f"{row}\n" for row in rows).encode()).hexdigest()
    return "" if given == wanted else f"  sha256 {given} instead of {wanted}"


def canonical(query, row):
    """A row as the sums have it: its members in order, compact, prices of Q1 with three decimals."""
    if sorted(row) != sorted(MEMBERS[query]):
        return f"has the members {list(row)}"
    texts = {name: json.dumps(row[name], default=str) for name in MEMBERS[query]}
    if query == "q1":
        texts["price"] = f"{row['price']:.3f}"
    return "{" + ",".join(f'"{name}":{text}' for name, text in texts.items()) + "}"


def measure(args, events):
    rows, result = [], str(Path(args.work) / "result")
    for query in args.queries:
        runs = []
        for number_of_round in range(args.rounds):
            say(f"{query}, round {number_of_round + 1} of {args.rounds}")
            clear([result])
            runs.append(pipeline.run([command(args, query)], events, result))
        rows.append(row(args, query, runs, sum(1 for _ in open(result, "rb"))))
    publish(args, rows, "nexmark", {})


def publish(args, rows, name, versions):
    """Prints the tables, and puts them into the page."""
    told = report.facts(args, {"events": args.events}, versions)
    words = ["scripts/nexmark", *args.words, "--bench", *["--flink"] * bool(args.flink)]
    words += [f"--rounds {args.rounds}"] * (args.rounds != (1 if args.flink else 3))
    text = report.page_text(rows, told, " ".join(words))
    print(text)
    if args.page:
        report.put_into(args.page, [name], text)
    if args.page and args.flink:
        published.keep(args, told, " ".join(words), [{"case": "nexmark"} | row for row in rows])
        published.put_summary(args)


def row(args, query, runs, rows):
    figures = {figure: [run[figure] for run in runs] for figure in FIGURES}
    thousand_per_cpu_s = args.events / 1000 / statistics.median(figures["cpu_s"])
    told = {"table": TABLE, "system": query, "rows": rows, **summary(figures), "thousand_events_per_cpu_s": round(thousand_per_cpu_s)}
    return told | {"rounds": len(runs)}


def beside_flink(args):
    """Each query of both systems in turns: ours, Flink, ours, so that Flink's figure stands between two of ours."""
    sizes = [args.events, FURTHER_TIMES * args.events]
    tables, more, failed = {size: [] for size in sizes}, [], []
    for query in args.queries:
        try:
            measured = {size: in_turns(args, query, size) for size in sizes}
        except SystemExit as why:
            # What the other queries took is not lost with it.
            failed.append(f"{query} is left out: {why}")
            say(failed[-1])
            continue
        ways = measured[sizes[-1]]["ways"]
        way = min(ways, key=lambda way: statistics.median(run["cpu_s"] for run in ways[way]))
        few, many = (compared(query, size, measured[size], way) for size in sizes)
        tables[sizes[0]].append(few)
        tables[sizes[1]].append(many)
        more.append(further(few, many, sizes[1] - sizes[0]))
    rows = [row for size in sizes for row in tables[size]] + more
    if rows:
        publish(args, rows, "nexmark beside flink", {"flink": flink.version(), "java": java_version()})
    if failed:
        sys.exit("\n".join(failed))


def in_turns(args, query, size):
    """The runs of ours, two for each of Flink's, and those of each way to write the query for Flink."""
    events, result = made(args, size), str(Path(args.work) / "result")
    # Both read what has been read before.
    read_once([events, *flink.folder(events).iterdir()])
    ours, ways = [], {way: [] for way in flink.ways(query)}
    for number in range(args.rounds):
        ours.append(our_run(args, query, events, result))
        for way, taken in ways.items():
            say(f"{way}, {size} events, round {number + 1} of {args.rounds}: Flink")
            taken.append(pipeline.run([flink.command(args, way, events)], os.devnull, None))
        ours.append(our_run(args, query, events, result))
    return {"ours": ours, "ways": ways, "rows": sum(1 for _ in open(result, "rb"))}


def compared(query, size, measured, way):
    ours, theirs = measured["ours"], measured["ways"][way]
    told = {"table": f"{size:,} events", "system": query, "peer": "flink", "rows": measured["rows"]}
    for figure in FIGURES:
        around = [(one[figure] + other[figure]) / 2 for one, other in zip(ours[::2], ours[1::2])]
        other = summary({figure: [run[figure] for run in theirs]}, {figure: around})
        told |= summary({figure: [run[figure] for run in ours]})
        told |= {f"flink_{figure}": other[figure], f"ratio_{figure}": other[f"ratio_{figure}"]}
    return told | {"rounds": len(theirs)}


def our_run(args, query, events, result):
    clear([result])
    return pipeline.run([command(args, query)], events, result)


def further(few, many, events):
    """What each event more takes of both."""
    told = {"table": f"each event more, from {few['table']} to {many['table']}", "system": few["system"], "peer": "flink"}
    for figure in ("wall", "cpu"):
        ours, theirs = ((many[f"{whose}{figure}_s"] - few[f"{whose}{figure}_s"]) / events * 1e6 for whose in ("", "flink_"))
        told |= {f"{figure}_us": round(ours, 3), f"flink_{figure}_us": round(theirs, 3)}
        if ours > 0 and theirs > 0:
            told[f"ratio_{figure}_s"] = round(theirs / ours, 2)
    return told


def java_version():
    said = subprocess.run(["java", "-version"], capture_output=True, text=True, check=True).stderr
    return said.split('"')[1]


if __name__ == "__main__":
    main()
