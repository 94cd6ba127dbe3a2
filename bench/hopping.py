"""Windows that overlap: 60 s long, one starts every 5 s, so each line is in twelve; against windows in a row."""
import data
import same_rows
import standard_job
from contest import Contestant, contest

PEERS = [*standard_job.FAST_PEERS]
HOPPING = ["window", "--size", "60s", "--slide", "5s", "--lateness", "2s"]
TUMBLING = ["window", "--size", "60s", "--lateness", "2s"]
BASE = "millpipe"
FEW, MANY = 1, 5
ROUNDS = 3


def run(args):
    """Others put windows together of slices too: by lists of values, or by states of ClickHouse's."""
    rows = []
    for lines in [FEW * args.lines] + [MANY * args.lines] * (not args.quick):
        file = data.requests(args, lines)
        once, each = (lambda result, times=times: standard_job.counted(result, times * lines) for times in (1, 12))
        contestants = {
            BASE: Contestant([HOPPING, standard_job.AGGREGATE], file, each, read=same_rows.groups),
            "millpipe, windows in a row": Contestant([TUMBLING, standard_job.AGGREGATE], file, once),
            **{name: standard_job.peer(args, name, "hopping:60/5", file, each) for name in PEERS},
        }
        rows += contest(args, f"{lines:,} lines", contestants, BASE, rounds=ROUNDS)
    return rows


def profiled(args):
    return [HOPPING, standard_job.AGGREGATE], data.requests(args, args.lines)
