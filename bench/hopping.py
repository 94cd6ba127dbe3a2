"""Windows that overlap: 60 s long, one starts every 5 s, so each line is in twelve; against windows in a row."""
import data
import standard_job
from contest import Contestant, contest

PEERS = ["duckdb"]
HOPPING = ["window", "--size", "60s", "--slide", "5s", "--lateness", "2s"]
TUMBLING = ["window", "--size", "60s", "--lateness", "2s"]
BASE = "millpipe hopping"


def run(args):
    file = data.requests(args, args.lines)
    once = lambda result: standard_job.counted(result, args.lines)
    twelve_times = lambda result: standard_job.counted(result, 12 * args.lines)
    contestants = {
        BASE: Contestant([HOPPING, standard_job.AGGREGATE], file, twelve_times),
        "millpipe tumbling": Contestant([TUMBLING, standard_job.AGGREGATE], file, once),
        "duckdb hopping": standard_job.duckdb(args, "hopping 60/5", file, twelve_times),
        "duckdb tumbling": standard_job.duckdb(args, "tumbling 60", file, once),
    }
    return contest(args, "windows of 60 s", contestants, BASE)


def profiled(args):
    return [HOPPING, standard_job.AGGREGATE], data.requests(args, args.lines)
