"""The standard job, from a file of lines to a file of results, against other systems."""
import data
import standard_job
from contest import contest

PEERS = ["duckdb", "python", "miller", "jq"]
LINES_MAX_OF_SLOW = 1_000_000


def run(args):
    file = data.requests(args, args.lines)
    chosen = standard_job.contestants(args, file, args.lines)
    chosen["millpipe exactly-once"] = standard_job.exactly_once(args, file, args.lines)
    chosen = standard_job.fast_enough(chosen, args.lines, LINES_MAX_OF_SLOW)
    rows = contest(args, "the standard job", chosen, standard_job.OURS, agree=["cells"])
    return rows + standard_job.budget(rows, args.lines)


def profiled(args):
    return [standard_job.WINDOW, standard_job.AGGREGATE], data.requests(args, args.lines)
