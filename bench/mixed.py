"""The standard job on lines of many shapes: members in any order, nested, with escapes and spaces."""
import data
import standard_job
from contest import contest, further

PEERS = [*standard_job.FAST_PEERS]
FEW, MANY = 1, 5


def run(args):
    few, many = FEW * args.lines, MANY * args.lines
    small = compared(args, few)
    rows = small + standard_job.budget(small, few)
    if not args.quick:
        large = compared(args, many)
        rows += large + further(f"each line more, from {few:,} to {many:,}", small, large, standard_job.OURS, many - few)
    return rows


def compared(args, lines):
    chosen = standard_job.fast(args, data.mixed(args, lines), lines)
    return contest(args, f"{lines:,} lines", chosen, standard_job.OURS, agree=["cells"])


def profiled(args):
    return [standard_job.WINDOW, standard_job.AGGREGATE], data.mixed(args, args.lines)
