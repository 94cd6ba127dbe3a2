"""Patterns over the rows of a key, with three variables: how many lines a second of a processor matches."""
import data
from contest import Contestant, contest, with_rate

PEERS = []
KEYS, LINES_TIMES = 1_000, 2
MATCH = ["match-pattern", "--by", "key", "--order", "timestamp"]
# Of the line alone; of the line and the one before it; of the match so far.
PATTERNS = {
    "lines alone": ["--pattern", "ok fail{2,} again", "--within", "10m",
                    "--define", "ok: .status == 200, fail: .status >= 400, again: .status == 200",
                    "--measures", "n=COUNT(fail.*), from=FIRST(fail.timestamp)"],
    "the row before": ["--pattern", "A DOWN{2,} UP{2,}", "--define", "DOWN: .value < PREV(.value), UP: .value > PREV(.value)",
                       "--measures", "bottom=LAST(DOWN.value), rise=UP.value - DOWN.value"],
    "the match so far": ["--pattern", "ok fail{2,} again", "--within", "10m",
                         "--define", "ok: .status == 200, fail: .status >= 400, again: .status == 200 and .host != FIRST(fail.host)",
                         "--measures", "n=COUNT(fail.*), from=FIRST(fail.timestamp)"],
}
BASE = "lines alone"


def run(args):
    lines = LINES_TIMES * args.lines
    file = data.in_order(args, lines, KEYS)
    contestants = {name: Contestant([[*MATCH, *flags]], file) for name, flags in PATTERNS.items()}
    return with_rate(contest(args, f"three variables, {lines:,} lines of {KEYS:,} keys", contestants, BASE), lines)


def profiled(args):
    return [[*MATCH, *PATTERNS[BASE]]], data.in_order(args, args.lines, KEYS)
