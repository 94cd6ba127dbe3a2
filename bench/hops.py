"""What one more stage in the pipe costs: a line read, looked at, and written on."""
import data
from contest import Contestant, contest, summary
from standard_job import FLOOR, counted

PEERS = []
WATERMARK = ["watermark", "--lateness", "2s"]
# What stands in front of the job in addition, and how many stages that are.
ADDED = {
    "cat": [["cat"]],
    "watermark": [WATERMARK],
    "four times watermark": [WATERMARK] * 4,
    "window --plain": [["window", "--size", "10s", "--lateness", "2s", "--plain"]],
    "parallel-map -j 1 .": [["parallel-map", "-j", "1", "."]],
}
JOB = [["window", "--size", "10s", "--lateness", "2s"], ["aggregate", "--by", "key", "count", "sum:value"]]
NONE = "none"


def run(args):
    file = data.requests(args, args.lines)
    check = lambda result: counted(result, args.lines)
    pipes = {NONE: Contestant(JOB, file, check)}
    pipes |= {name: Contestant(added + JOB, file, check) for name, added in ADDED.items()}
    rows = contest(args, "stages in front of window | aggregate", pipes, NONE, agree=["cells"])
    without = next((row for row in rows if row["system"] == NONE), None)
    for row in rows:
        if without and row["system"] in ADDED:
            lines = len(ADDED[row["system"]]) * args.lines
            row |= added(row, without, lines)
    floor = {FLOOR: Contestant([["cat", file], ["wc", "-l"]], file),
             "cat | cat | wc -l": Contestant([["cat", file], ["cat"], ["wc", "-l"]], file)}
    return rows + contest(args, "the floor: a copy through one more pipe", floor, FLOOR)


def added(row, without, lines):
    """What each stage in front took itself, and what all others took more for it; within the same rounds."""
    told = {}
    for figure, name in (("cpu_s", "added_us"), ("wall_s", "added_wall_us")):
        pairs = zip(row["runs"][figure], without["runs"][figure])
        told |= summary({name: [(more - less) / lines * 1e6 for more, less in pairs]})
    return told


def profiled(args):
    return [WATERMARK, *JOB], data.requests(args, args.lines)
