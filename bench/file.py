"""The standard job, from a file of lines to a file of results, against other systems."""
import data
import standard_job
from contest import contest, further

PEERS = [*standard_job.FAST_PEERS, *standard_job.SLOW_PEERS]
# Of the lines asked for: so many that it does not count how long a program takes to start.
FEW, MANY = 5, 20
ROUNDS_OF_MANY = 3


def run(args):
    few, many = FEW * args.lines, MANY * args.lines
    small = compared(args, few)
    rows = small + standard_job.budget(small, few)
    if not args.quick:
        large = compared(args, many, ROUNDS_OF_MANY)
        rows += large + further(f"each line more, from {few:,} to {many:,}", small, large, standard_job.OURS, many - few)
    file = data.requests(args, args.lines)
    return rows + contest(args, f"scripts, {args.lines:,} lines", standard_job.slow(file, args.lines), standard_job.OURS, agree=["cells"])


def compared(args, lines, rounds=None):
    file = data.requests(args, lines)
    chosen = standard_job.fast(args, file, lines)
    chosen["millpipe exactly-once"] = standard_job.exactly_once(args, file, lines)
    return contest(args, f"{lines:,} lines", chosen, standard_job.OURS, agree=["cells"], rounds=rounds)


def profiled(args):
    return [standard_job.WINDOW, standard_job.AGGREGATE], data.requests(args, args.lines)
