"""How memory grows with the input: it should not."""
import data
import standard_job
from contest import Contestant, contest

PEERS = ["duckdb"]


def run(args):
    rows = []
    few = args.lines // 4
    for lines in (few, args.lines):
        file = data.requests(args, lines)
        check = lambda result: standard_job.counted(result, lines)
        sessions = [["window", "--session", "1s", "--by", "key", "--lateness", "2s"], standard_job.AGGREGATE]
        contestants = {
            "millpipe": Contestant([standard_job.WINDOW, standard_job.AGGREGATE], file, check),
            "millpipe sessions": Contestant(sessions, file, check),
            "millpipe exactly-once": standard_job.exactly_once(args, file, lines),
            "duckdb": standard_job.peer(args, "duckdb", "tumbling:10", file, check, None),
        }
        rows += contest(args, f"{lines:,} lines", contestants, "millpipe")
    for row in rows:
        for figure in [name for name in row if "wall_s" in name or "cpu_s" in name]:
            del row[figure]
        row["each_stage_mib"] = " + ".join(f"{part['memory_mib']:.1f}" for part in row["parts"])
    return rows
