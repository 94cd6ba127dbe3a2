"""A plain selection of lines: filter beside grep, ripgrep, jq, jaq, gojq and DuckDB."""
import data
import same_rows
import standard_job
from contest import Contestant, contest

PEERS = ["duckdb", "grep", "rg", "jq", "jaq", "gojq"]
JQS = ("jq", "jaq", "gojq")
BASE = "filter"
LINES_TIMES = 5
# The filter, the same as a text that only such lines have, whether that is a pattern, and the job of others.
SELECTIONS = {
    "one key in a thousand": ('.key == "user-42"', '"key":"user-42"', False, "of-user:user-42"),
    "three lines in a hundred": (".status >= 500", '"status":5[0-9][0-9]', True, "status:500"),
}


def run(args):
    """grep and ripgrep look for a text and do not parse: they find the same here as these lines are written in one way only."""
    lines = LINES_TIMES * args.lines
    file = data.requests(args, lines)
    rows = []
    for name, (text, pattern, is_pattern, job) in SELECTIONS.items():
        grep = ["grep", "-E" if is_pattern else "-F", pattern]
        rg = ["rg", "--no-config", *([] if is_pattern else ["-F"]), pattern]
        contestants = {
            BASE: ours(["filter", text], file), "filter -j 2": ours(["filter", "-j", "2", text], file),
            "grep": one("grep", grep, file), "rg": one("rg", rg, file),
            "duckdb": standard_job.peer(args, "duckdb", job, file, lambda result: {}, same_rows.lines),
            **{jq: one(jq, [jq, "-c", f"select({text})"], file, rounds=1) for jq in JQS},
        }
        rows += contest(args, f"{name}, of {lines:,}: {text}", contestants, BASE)
    return rows


def ours(stage, file):
    return Contestant([stage], file, read=same_rows.lines)


def one(peer, command, file, rounds=0):
    return Contestant([command], file, rounds=rounds, peer=peer, read=same_rows.lines)


def profiled(args):
    return [["filter", SELECTIONS["three lines in a hundred"][0]]], data.requests(args, args.lines)
