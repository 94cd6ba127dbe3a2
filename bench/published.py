"""The tables at the top of pages: ours beside the best of the others, in everything that the pages' other tables have.

Rows that went into a page are kept, so that cases can be run one after the other. All of a table's ratios are of one machine and
of the same rounds; here they are only chosen from.
"""
import json
from pathlib import Path

import report

FIGURES = ("wall", "cpu", "memory")
# What a case is called here, before the titles of its tables.
CASES = {"file": "standard job", "mixed": "mixed lines", "hopping": "60 s windows, one each 5 s", "keys": "no windows",
         "join": "interval join", "select": "selection", "parallel-map": "parallel-map", "kafka": "Kafka", "nexmark": "Nexmark"}


def kept_in(args):
    return Path(args.work).parent / "published.ndjson"


def entries(args):
    path = kept_in(args)
    return [json.loads(line) for line in open(path)] if path.exists() else []


def keep(args, told, command, rows):
    """In the place of what this case had on this machine before."""
    entry = {name: told[name] for name in ("at", "commit", "machine", "versions")} | {"command": command, "rows": rows}
    same = lambda other: (other["rows"][0]["case"], other["machine"]) == (rows[0]["case"], told["machine"])
    kept = [other for other in entries(args) if not same(other)]
    kept_in(args).write_text("".join(json.dumps(each) + "\n" for each in [*kept, entry]))


def put_summary(args):
    """Into the pages that have a place for all, or for the worst of each case."""
    here = [entry for entry in entries(args) if entry["machine"] == report.machine()]
    lines = [line for entry in here for line in lines_of(entry)]
    worst = [min((line for line in lines if line["case"] == case), key=lambda line: line["wall"][0])
             for case in dict.fromkeys(line["case"] for line in lines)]
    for page in args.page:
        report.put(page, "summary", text(here, lines))
        report.put(page, "worst", text(here, worst))


def lines_of(entry):
    """One for each table in which others take part: the smallest ratio of each figure, and whose that is."""
    lines = []
    for title in dict.fromkeys(row["table"] for row in entry["rows"]):
        rows = [row for row in entry["rows"] if row["table"] == title and "peer" in row]
        if any("ratio_wall" in name for row in rows for name in row):
            best = {figure: smallest(rows, figure) for figure in FIGURES}
            lines.append({"case": rows[0]["case"], "title": title.partition(": ")[0], "command": entry["command"], **best})
    return lines


def smallest(rows, figure):
    found = [(row[name], who(row)) for row in rows for name in row if name.startswith(f"ratio_{figure}")]
    return min(found) if found else None


def who(row):
    return row["system"] if row["system"].startswith(row["peer"]) else f"{row['peer']}, {row['system']}"


def text(here, lines):
    """Without figures it says so."""
    if not lines:
        return "Nothing is measured yet.\n"
    days = sorted({entry["at"][:10] for entry in here})
    commits = ", ".join(dict.fromkeys(entry["commit"] for entry in here))
    versions = {name: version for entry in here for name, version in entry["versions"].items()}
    told = f"{report.machine()}; {' to '.join(dict.fromkeys([days[0], days[-1]]))}, commit {commits}; " + ", ".join(map(" ".join, versions.items()))
    rows = [["", "wall ×", "CPU ×", "memory ×", "measured by"], ["---"] * 5]
    for line in lines:
        cells = [f"{report.ratio(line[figure][0])} {line[figure][1]}" if line[figure] else "" for figure in FIGURES]
        rows.append([f"{CASES[line['case']]}: {line['title']}", *cells, f"`{line['command']}`"])
    return f"{told}.\n\n" + "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |\n" for row in rows)
