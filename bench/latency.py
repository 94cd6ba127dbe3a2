"""How long a result takes, in a pipe that gets a thousand lines a second."""
import subprocess
import threading
import time
from datetime import datetime, timezone

from contest import say, summary

PEERS = []
LINES_A_SECOND = 1_000
WATERMARK = ["watermark", "--lateness", "2s"]
WINDOW_MS = 100


def run(args):
    seconds = 2 if args.quick else 5
    rounds = 1 if args.quick else args.rounds
    passes = {"cat": [["cat"]]} | {f"{hops} × watermark": [WATERMARK] * hops for hops in (1, 2, 4, 8)}
    passed = {name: [] for name in passes}
    closed = []
    for round_number in range(rounds):
        say(f"latency, round {round_number + 1} of {rounds}")
        for name, stages in passes.items():
            passed[name].append(percentiles(line_latencies(stages, seconds)))
        closed.append(percentiles(result_latencies(seconds)))
    rows = [row("from the line that closes a window to its result", "window | aggregate", closed)]
    rows += [row("a line through the pipe", name, taken) for name, taken in passed.items()]
    by_hops = {hops: next(row for row in rows if row["system"] == f"{hops} × watermark") for hops in (1, 8)}
    hop = {name: round((by_hops[8][name] - by_hops[1][name]) / 7, 4) for name in ("p50_ms", "p99_ms")}
    return rows + [{"table": "a line through the pipe", "system": "each hop, of eight", **hop}]


def row(table, system, taken):
    return {"table": table, "system": system, "rounds": len(taken),
            **summary({figure: [run[figure] for run in taken] for figure in taken[0]})}


def line_latencies(stages, seconds):
    """From the write of a line to its coming out."""
    arrived = []
    sent, _ = feed(stages, seconds, lambda line: arrived.append(time.perf_counter()) if not line.startswith(b'{"$"') else None)
    return [end - start for start, end in zip(sent, arrived, strict=True)]


def result_latencies(seconds):
    """From the write of the line whose time is the window's end to the first line of its results."""
    stages = [["window", "--size", f"{WINDOW_MS}ms"], ["aggregate", "--by", "key", "count", "p99:value"]]
    first = {}

    def note(line):
        end = line.split(b'"window_end":"', 1)[1].split(b'"', 1)[0]
        first.setdefault(end, time.perf_counter())

    sent, start_ms = feed(stages, seconds, note)
    latencies = []
    for end, came in first.items():
        end_ms = round(datetime.fromisoformat(end.decode().replace("Z", "+00:00")).timestamp() * 1000)
        # A window is closed by the time of its last millisecond, and line N has the time start + N.
        number = end_ms - 1 - start_ms
        if number < len(sent):
            latencies.append(came - sent[number])
    return latencies


def feed(stages, seconds, note):
    """Writes a line each millisecond; `note` gets what comes out. When each line was written, and the first line's time."""
    children, stdin = [], subprocess.PIPE
    for stage in stages:
        children.append(subprocess.Popen(stage, stdin=stdin, stdout=subprocess.PIPE, bufsize=0))
        if stdin is not subprocess.PIPE:
            stdin.close()
        stdin = children[-1].stdout
    reader = threading.Thread(target=read, args=(stdin, note))
    reader.start()
    time.sleep(0.1)  # All are waiting for their first line.
    start_ms = int(time.time() * 1000) // 1000 * 1000
    sent = []
    start = time.perf_counter()
    for number in range(seconds * LINES_A_SECOND):
        line = request(start_ms + number, number)
        while (left := start + number / LINES_A_SECOND - time.perf_counter()) > 0:
            time.sleep(left)
        sent.append(time.perf_counter())
        children[0].stdin.write(line)
    children[0].stdin.close()
    reader.join()
    for stage, child in zip(stages, children):
        if child.wait() != 0:
            raise SystemExit(f"bench: {stage[0]} ended with {child.returncode}")
    return sent, start_ms


def read(pipe, note):
    """One read may bring several lines and a part of one."""
    rest = b""
    while chunk := pipe.read(1 << 16):
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            note(line)


def request(time_ms, number):
    stamp = datetime.fromtimestamp(time_ms / 1000, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")
    text = '{"timestamp":"%s.%03dZ","key":"user-%d","value":%d.25,"status":200,"path":"/api/v1/users/list/%d"}\n'
    return (text % (stamp, time_ms % 1000, number % 10, number % 97, number % 9)).encode()


def percentiles(latencies):
    values = sorted(latencies)
    at = lambda share: values[min(len(values) - 1, int(share * len(values)))] * 1000
    return {"p50_ms": at(0.5), "p99_ms": at(0.99), "max_ms": values[-1] * 1000}
