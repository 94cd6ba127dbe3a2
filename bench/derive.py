"""New members from a line and those before it of its key: derive beside Miller's step."""
import json

import data
from contest import Contestant, contest, with_rate

PEERS = ["miller"]
BASE = "derive"
LINES_TIMES = 2
OURS = [BASE, "--by", "key", "value_delta=delta:value", "value_ewma_0.3=ewma:0.3:value"]
MILLER = ["mlr", "--ijsonl", "--ojsonl", "step", "-a", "delta,ewma", "-d", "0.3", "-f", "value", "-g", "key"]
# A window of lines, and one of time with what Miller does not have.
MEAN = [BASE, "--by", "key", "value_9_0=mean:10:value"]
MILLER_MEAN = ["mlr", "--ijsonl", "--ojsonl", "step", "-a", "slwin_9_0", "-f", "value", "-g", "key"]
OF_TIME = [BASE, "--by", "key", "--time", "timestamp", "--late", "pass", "m=mean:1m:value", "p=median:1m:value", "z=zscore:1m:value"]
PLACES = 9


def run(args):
    lines = LINES_TIMES * args.lines
    file = data.requests(args, lines)
    rows = []
    for title, ours, theirs in (("differences and weighted averages", OURS, MILLER), ("means of ten lines", MEAN, MILLER_MEAN)):
        contestants = {BASE: Contestant([ours], file, read=members),
                       "mlr step": Contestant([theirs], file, rounds=1, peer="miller", read=members)}
        rows += contest(args, f"{title}, {lines:,} lines", contestants, BASE)
    rows += contest(args, f"mean, median and z-score of a minute, {lines:,} lines", {BASE: Contestant([OF_TIME], file)}, BASE)
    return with_rate(rows, lines)


def members(path):
    """Number of the line to its new members: Miller's first difference is 0, ours is null."""
    rows = {}
    for number, line in enumerate(open(path)):
        row = {name: value for name, value in json.loads(line).items() if name.startswith(("value_", "9_0"))}
        rows[number] = {name: round(value or 0, PLACES) for name, value in row.items()}
    return rows


def profiled(args):
    return [OURS], data.requests(args, args.lines)
