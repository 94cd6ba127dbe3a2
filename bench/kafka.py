#!/usr/bin/env python3
"""Measures the Kafka ends against kcat, with a real broker: reading, writing, the whole standard job, and latency.

  in       a topic of 4 partitions to /dev/null: kafka-cat-in, and kcat -C
  out      a file into a topic of 4 partitions: kafka-cat-out, kcat -P with the same settings, both with keys too, and
           kafka-cat-out at the end of a stream with checkpoints (one transaction a second) beside the same without
  job      kafka-cat-in --exactly-once | window | aggregate | kafka-cat-out, one transaction a second; each stage also alone
  latency  1,000 lines a second, at least once: from the line that closes a window until its result can be read

All variants of a case take turns. CPU is user + system of the processes that are meant, never of the broker; wall time is
from the start to the last exit. Rows have medians and ranges; × is kcat's figure by ours, within the same rounds, so more
than 1 is better than kcat. The tools come from $PATH.

Other scripts may import it: run(args) gives the rows, add_arguments(parser) says what args need.
"""
import argparse
import calendar
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CASES = ("in", "out", "job", "latency")
WINDOW = ["window", "--size", "10s", "--time", "timestamp", "--lateness", "2s"]
AGGREGATE = ["aggregate", "--by", "key", "count", "sum:value", "avg:value", "min:value", "max:value", "p50:value",
             "p90:value", "p95:value", "p99:value"]
# What kafka-cat-out has by default.
SAME = ["-X", "compression.codec=lz4", "-X", "enable.idempotence=true", "-X", "acks=all",
        "-X", "batch.num.messages=10000", "-X", "linger.ms=5", "-X", "topic.partitioner=murmur2_random"]
LATENCY_WINDOW_MS = 100
# kcat's older client would wait with a request for the answer to the one before.
AT_ONCE = ["-X", "linger.ms=0", "-X", "socket.nagle.disable=true"]


def add_arguments(parser):
    parser.add_argument("--cases", metavar="NAMES", type=lambda text: text.split(","), default=list(CASES),
                        help=f"some of: {','.join(CASES)}")
    parser.add_argument("--lines", type=int, default=2_000_000, metavar="N", help="lines of the topic (default 2000000)")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="rounds, in turns (default 5)")
    parser.add_argument("--seconds", type=int, default=20, metavar="N", help="how long latency is measured (default 20)")
    parser.add_argument("--file", metavar="FILE", help="requests to use (default: generate --out-of-order 2s)")
    parser.add_argument("--brokers", metavar="HOST:PORT", help="a broker that runs (default: start one, with scripts/kafka)")


def run(args):
    """Measures the cases and gives a row (a dict) for each variant."""
    with tempfile.TemporaryDirectory(prefix="bench-kafka-") as work:
        brokers = args.brokers or start_broker(work)
        try:
            bench = Bench(args, brokers, Path(work))
            return [row for case in args.cases for row in getattr(bench, "case_" + case)()]
        finally:
            if not args.brokers:
                kafka("stop", work)


def start_broker(work):
    kafka("start", work)
    return subprocess.run([str(ROOT / "scripts/kafka"), "status", "--dir", f"{work}/broker"], check=True,
                          capture_output=True, text=True).stdout.split()[1]


def kafka(command, work):
    subprocess.run([str(ROOT / "scripts/kafka"), command, "--dir", f"{work}/broker"], check=True, stdout=sys.stderr)


class Bench:
    def __init__(self, args, brokers, work):
        self.args, self.brokers, self.work = args, brokers, work
        self.made = 0
        self.file = work / "requests.ndjson"
        self.filled = None
        with open(self.file, "wb") as out:
            make = ["head", "-n", str(args.lines), args.file] if args.file else \
                ["generate", "--lines", str(args.lines), "--out-of-order", "2s"]
            subprocess.run(make, stdout=out, check=True)

    def tool(self, name, *args):
        return [name, "-b", self.brokers, *args]

    def topic(self, partitions=4):
        """Makes a new topic."""
        self.made += 1
        name = f"bench-{os.getpid()}-{self.made}"
        subprocess.run(self.tool("kafka-cat-out", "-t", name, "--create", str(partitions)), stdin=subprocess.DEVNULL, check=True)
        return name

    def filled_topic(self):
        """A topic with the requests, the same for all cases."""
        if not self.filled:
            self.filled = self.topic()
            with open(self.file, "rb") as lines:
                subprocess.run(self.tool("kafka-cat-out", "-t", self.filled), stdin=lines, check=True)
        return self.filled

    def rounds(self, case, variants):
        """Runs all variants in turns: name to (a function that gives the stages, which of them count, the input or none)."""
        runs = {name: [] for name in variants}
        for number in range(self.args.rounds):
            for name, (stages, counted, stdin) in variants.items():
                say(f"{case}, round {number + 1} of {self.args.rounds}: {name}")
                runs[name].append(measure(stages(), counted, stdin))
        return runs

    def case_in(self):
        topic = self.filled_topic()
        ours = self.tool("kafka-cat-in", "-t", topic, "-e")
        kcat = self.tool("kcat", "-C", "-e", "-q", "-o", "beginning", "-t", topic)
        runs = self.rounds("in", {
            "kafka-cat-in": (lambda: [ours], [0], None),
            "kcat -C": (lambda: [kcat], [0], None),
        })
        return self.rows("in", runs, {"kafka-cat-in": "kcat -C"})

    def case_out(self):
        keyed = self.work / "keyed"
        with open(self.file) as lines, open(keyed, "w") as out:
            for line in lines:
                out.write(json.loads(line)["key"] + "\t" + line)
        names = ("plain", "keyed", "kcat", "kcat keyed", "stream", "transactions")
        topics = {name: self.topic() for name in names}
        ours = lambda name, *args: self.tool("kafka-cat-out", "-t", topics[name], *args)
        kcat = lambda name, *args: self.tool("kcat", "-P", "-q", "-t", topics[name], *SAME, *args)
        source = ["file-cat-in", str(self.file)]
        checked = lambda: source + ["--exactly-once", "--state", str(self.state()), "--interval", "1s"]
        runs = self.rounds("out", {
            "kafka-cat-out": (lambda: [ours("plain")], [0], self.file),
            "kcat -P": (lambda: [kcat("kcat")], [0], self.file),
            "kafka-cat-out --key": (lambda: [ours("keyed", "--key", "key")], [0], self.file),
            "kcat -P -K": (lambda: [kcat("kcat keyed", "-K", "\t")], [0], keyed),
            "file-cat-in | kafka-cat-out": (lambda: [source, ours("stream")], [1], None),
            "the same, a transaction a second": (lambda: [checked(), ours("transactions")], [1], None),
        })
        return self.rows("out", runs, {"kafka-cat-out": "kcat -P", "kafka-cat-out --key": "kcat -P -K",
                                       "the same, a transaction a second": "file-cat-in | kafka-cat-out"})

    def state(self):
        self.made += 1
        return self.work / f"state-{self.made}"

    def job(self, topic, result):
        state = self.state()
        return [self.tool("kafka-cat-in", "-t", topic, "-e", "-G", state.name + f"-{os.getpid()}", "--exactly-once",
                          "--state", str(state), "--interval", "1s"),
                WINDOW, AGGREGATE, self.tool("kafka-cat-out", "-t", result)]

    def case_job(self):
        topic, result = self.filled_topic(), self.topic(1)
        runs = self.rounds("job", {"the job": (lambda: self.job(topic, result), range(4), None)})
        rows = self.rows("job", runs, {})
        taken = runs["the job"]
        for at, name in enumerate(("kafka-cat-in", "window", "aggregate", "kafka-cat-out")):
            parts = [{"cpu_s": run["stages_cpu_s"][at], "wall_s": run["wall_s"]} for run in taken]
            rows += self.rows("job", {"of it " + name: parts}, {})
        return rows

    def rows(self, case, runs, against):
        rows = []
        for name, taken in runs.items():
            row = {"case": case, "variant": name, "lines": self.args.lines, "rounds": len(taken)}
            for figure in ("wall_s", "cpu_s"):
                values = [run[figure] for run in taken]
                row[figure] = round(statistics.median(values), 3)
                row[figure + "_range"] = [round(min(values), 3), round(max(values), 3)]
                other = runs.get(against.get(name))
                if other:
                    row["ratio_" + figure] = round(statistics.median(b[figure] / a[figure] for a, b in zip(taken, other)), 2)
            row["cpu_us_per_line"] = round(row["cpu_s"] / self.args.lines * 1e6, 3)
            rows.append(row)
        return rows

    def case_latency(self):
        """The pipe of the job, plain, over windows of 100 ms; the input has one partition, so each line moves the watermark."""
        topic, result = self.topic(1), self.topic(1)
        pipe = [self.tool("kafka-cat-in", "-t", topic),
                ["window", "--size", f"{LATENCY_WINDOW_MS}ms", "--time", "timestamp"],
                AGGREGATE, self.tool("kafka-cat-out", "-t", result)]
        relay = [self.tool("kcat", "-C", "-q", "-u", "-o", "end", "-t", topic),
                 self.tool("kcat", "-P", "-q", *AT_ONCE, "-t", result)]
        rows = []
        for name, stages, shown, is_direct in (("kcat | kcat, nothing between", [], topic, True),
                                               ("two hops: kcat -C | kcat -P between", relay, result, True),
                                               ("four stages", pipe, result, False)):
            say(f"latency, {self.args.seconds} s: {name}")
            with Pipe(stages):
                late = Latency(self, topic, shown, is_direct).run()
            row = {"case": "latency", "variant": name, "results": len(late)}
            for percent in (50, 95, 99):
                row[f"p{percent}_ms"] = round(late[min(len(late) - 1, len(late) * percent // 100)], 1)
            row["max_ms"] = round(late[-1], 1)
            rows.append(row)
        return rows


class Pipe:
    """Stages that run until the end of the block."""

    def __init__(self, stages):
        self.stages = stages

    def __enter__(self):
        self.children = start(self.stages, None)

    def __exit__(self, *_):
        if self.children:
            self.children[0].terminate()
        for child in self.children:
            child.wait()


class Latency:
    """Sends 1,000 lines a second, and notes when each window was closed by a line and when its results came."""

    def __init__(self, bench, topic, result, is_direct):
        self.seconds, self.is_direct = bench.args.seconds, is_direct
        to = bench.tool("kcat", "-P", "-q", *AT_ONCE, "-t", topic)
        self.sender = subprocess.Popen(to, stdin=subprocess.PIPE, bufsize=0)
        come = bench.tool("kcat", "-C", "-q", "-u", "-o", "end", "-X", "fetch.wait.max.ms=100", "-t", result)
        self.reader = subprocess.Popen(come, stdout=subprocess.PIPE)
        self.closed_at = {}
        self.late_ms = []

    def run(self):
        time.sleep(2)  # Both ends and the pipe have found the broker.
        reading = threading.Thread(target=self.read)
        reading.start()
        self.send()
        time.sleep(1)
        self.sender.stdin.close()
        self.sender.wait()
        self.reader.terminate()
        reading.join()
        # The first second is for the tools to wake up.
        return sorted(self.late_ms[len(self.late_ms) // self.seconds:])

    def send(self):
        start_s, window = time.time(), None
        for number in range(self.seconds * 1000):
            wait_s = start_s + number / 1000 - time.time()
            if wait_s > 0:
                time.sleep(wait_s)
            now_s = time.time()
            now_ms = int(now_s * 1000)
            line = {"timestamp": stamp(now_ms), "key": f"user-{number % 10}", "value": number}
            if now_ms // LATENCY_WINDOW_MS != window:
                self.closed_at[window] = now_s
                window = now_ms // LATENCY_WINDOW_MS
            if self.is_direct:
                line["sent"] = now_s
            self.sender.stdin.write(json.dumps(line, separators=(",", ":")).encode() + b"\n")

    def read(self):
        for line in self.reader.stdout:
            now_s, row = time.time(), json.loads(line)
            since = row["sent"] if self.is_direct else self.closed_at.get(window_of(row["window_start"]))
            if since:
                self.late_ms.append((now_s - since) * 1000)


def stamp(ms):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(ms // 1000)) + f".{ms % 1000:03}Z"


def window_of(text):
    """The number of the window that starts at this time."""
    seconds, _, fraction = text.rstrip("Z").partition(".")
    whole = time.strptime(seconds + " UTC", "%Y-%m-%dT%H:%M:%S %Z")
    ms = calendar.timegm(whole) * 1000 + int((fraction or "0").ljust(3, "0")[:3])
    return ms // LATENCY_WINDOW_MS


def start(stages, stdin):
    """Starts all stages joined by pipes; the last one writes to /dev/null."""
    children = []
    before = open(stdin, "rb") if stdin else subprocess.DEVNULL
    for at, stage in enumerate(stages):
        last = at + 1 == len(stages)
        child = subprocess.Popen(stage, stdin=before, stdout=subprocess.DEVNULL if last else subprocess.PIPE)
        if before is not subprocess.DEVNULL:
            before.close()
        before = child.stdout
        children.append(child)
    return children


def measure(stages, counted, stdin):
    started = time.perf_counter()
    children = start(stages, stdin)
    cpu = []
    for stage, child in zip(stages, children):
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            sys.exit(f"bench: {stage[0]} ended with {child.returncode}")
        cpu.append(usage.ru_utime + usage.ru_stime)
    wall = time.perf_counter() - started
    return {"wall_s": wall, "cpu_s": sum(cpu[at] for at in counted), "stages_cpu_s": cpu}


def table(rows):
    text = ""
    timed = [row for row in rows if "cpu_s" in row]
    if timed:
        text += ("Median (range) of the rounds; × is kcat's figure by ours (for transactions: that without them by that with).\n\n"
                 "| case | | wall s | × | CPU s | × | CPU µs a line |\n|---|---|---|---|---|---|---|\n")
    for row in timed:
        cells = [row["case"], row["variant"].replace("|", "\\|")]
        for figure in ("wall_s", "cpu_s"):
            low, high = row[figure + "_range"]
            cells += [f"{row[figure]:.2f} ({low:.2f}–{high:.2f})", f"{row.get('ratio_' + figure, '')}"]
        text += "| " + " | ".join([*cells, f"{row['cpu_us_per_line']:.2f}"]) + " |\n"
    late = [row for row in rows if "p99_ms" in row]
    if late:
        text += "\n| latency | results | p50 ms | p95 ms | p99 ms | max ms |\n|---|---|---|---|---|---|\n"
    for row in late:
        text += "| " + " | ".join(str(row[name]).replace("|", "\\|") for name in ("variant", "results", "p50_ms", "p95_ms", "p99_ms", "max_ms")) + " |\n"
    return text


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def main():
    parser = argparse.ArgumentParser(prog="bench/kafka.py", description="The Kafka ends against kcat, with a real broker.")
    add_arguments(parser)
    parser.add_argument("--history", metavar="FILE", help="append the rows as NDJSON")
    args = parser.parse_args()
    unknown = set(args.cases) - set(CASES)
    if unknown:
        parser.error(f"no case {', '.join(sorted(unknown))}; there are: {', '.join(CASES)}")
    rows = run(args)
    print(table(rows))
    if args.history:
        with open(args.history, "a") as history:
            for row in rows:
                history.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main()
