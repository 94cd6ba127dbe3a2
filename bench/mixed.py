"""The standard job on lines of many shapes: members in any order, nested, with escapes and spaces."""
import data
import standard_job
from contest import contest

PEERS = ["duckdb", "python", "miller", "jq"]
LINES_MAX_OF_SLOW = 100_000


def run(args):
    file = data.mixed(args, args.lines)
    chosen = standard_job.contestants(args, file, args.lines)
    chosen = standard_job.fast_enough(chosen, args.lines, LINES_MAX_OF_SLOW)
    rows = contest(args, "the standard job on mixed lines", chosen, standard_job.OURS, agree=["cells"])
    return rows + standard_job.budget(rows, args.lines)


def profiled(args):
    return [standard_job.WINDOW, standard_job.AGGREGATE], data.mixed(args, args.lines)
