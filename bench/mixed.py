"""The standard job on lines of many shapes: members in any order, nested, with escapes and spaces."""
import data
import standard_job
from contest import contest, further

PEERS = [*standard_job.FAST_PEERS]
FEW, MANY = 1, 5


def run(args):
    few, many = FEW * args.lines, MANY * args.lines
    rows = compared(args, few)
    rows += standard_job.budget(rows, few)
    if not args.quick:
        more = compared(args, many)
        rows += more + further(f"each line more, from {few:,} to {many:,}", rows[:-2], more, standard_job.OURS, many - few)
    return rows


def compared(args, lines):
    chosen = standard_job.fast(args, data.mixed(args, lines), lines)
    return contest(args, f"mixed lines, {lines:,}", chosen, standard_job.OURS, agree=["cells"])


def profiled(args):
    return [standard_job.WINDOW, standard_job.AGGREGATE], data.mixed(args, args.lines)
