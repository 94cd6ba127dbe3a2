"""What more cores give aggregate, alone: lines are read in threads ahead of it, and the output is the same."""
import data
from contest import Contestant, contest
from standard_job import AGGREGATE, WINDOW, counted

PEERS = []
BASE = "--threads 1"


def run(args):
    file = windowed(args)
    check = lambda result: counted(result, args.lines)
    threads = {f"--threads {n}": Contestant([[*AGGREGATE, "--threads", str(n)]], file, check) for n in (1, 2, 3, 4)}
    return contest(args, "aggregate", threads, BASE, agree=["cells"])


def windowed(args):
    return data.made(args, f"windowed-{args.lines}.ndjson", WINDOW, data.requests(args, args.lines))


def profiled(args):
    return [[*AGGREGATE, "--threads", "2"]], windowed(args)
