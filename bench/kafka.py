#!/usr/bin/env python3
"""Measures the Kafka ends against kcat, with a real broker: reading, writing, the whole standard job, and latency.

  in       a topic of 4 partitions to /dev/null: kafka-cat-in, and kcat -C as it is and with large fetches and queues
  out      a file into a topic of 4 partitions: kafka-cat-out, kcat -P with the same settings, and with its own but for lz4; with
           keys too; and kafka-cat-out at the end of a stream with checkpoints (one transaction a second) beside the same without
  job      kafka-cat-in --exactly-once | window | aggregate | kafka-cat-out, one transaction a second; each stage also alone
  settings ours with other queues at both ends, and topics of 4 and of 64 partitions; only when asked for
  latency  1,000 lines a second, at least once: from the line that closes a window until its result can be read

All variants of a case take turns. CPU and memory are of the processes that are meant, never of the broker; wall time is from the
start to the last exit. Rows have medians and ranges; × is to ours, within the same rounds. Before the rounds each reader's lines
are counted, after them each topic's messages. The tools come from $PATH.

Other scripts may import it: run(args) gives the rows, add_arguments(parser) says what args need.
"""
import argparse
import calendar
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pipeline
import report
from contest import in_turn, say, summary

ROOT = Path(__file__).resolve().parent.parent
CASES = ("in", "out", "job", "latency")
ON_REQUEST = ("settings",)
# Messages that wait in kafka-cat-in for each partition, and in kafka-cat-out for all; the first is what they have by default.
QUEUES_IN, QUEUES_OUT, PARTITIONS = (None, 5_000, 20_000, 50_000, 100_000), (None, 10_000, 30_000, 100_000), (4, 64)
WINDOW = ["window", "--size", "10s", "--time", "timestamp", "--lateness", "2s"]
AGGREGATE = ["aggregate", "--by", "key", "count", "sum:value", "avg:value", "min:value", "max:value", "p50:value",
             "p90:value", "p95:value", "p99:value"]
KCAT = "kcat"
# What kafka-cat-out has by default, but for how many messages wait: kcat's 100,000 are more.
SAME = ["-X", "compression.codec=lz4", "-X", "enable.idempotence=true", "-X", "acks=all",
        "-X", "batch.num.messages=10000", "-X", "linger.ms=5", "-X", "topic.partitioner=murmur2_random"]
# What makes kcat read as fast as it can.
LARGE = ["-X", "fetch.message.max.bytes=8388608", "-X", "queued.min.messages=1000000", "-X", "fetch.wait.max.ms=10"]
LATENCY_WINDOW_MS = 100
# kcat's older client would wait with a request for the answer to the one before.
AT_ONCE = ["-X", "linger.ms=0", "-X", "socket.nagle.disable=true"]


def add_arguments(parser):
    parser.add_argument("--cases", metavar="NAMES", type=lambda text: text.split(","), default=list(CASES),
                        help=f"some of: {','.join([*CASES, *ON_REQUEST])} (without settings)")
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

    def contest(self, title, variants, base=None):
        """Rows of all variants, run in turns: name to (a function that gives the stages, which of them count, the input)."""
        runs = {name: [] for name in variants}
        for number in range(self.args.rounds):
            for name in in_turn(list(variants), number):
                say(f"{title}, round {number + 1} of {self.args.rounds}: {name}")
                stages, counted, stdin = variants[name]
                runs[name].append(part_of(pipeline.run(stages(), stdin, None), counted))
        return [row(title, name, runs[name], runs.get(base), self.args.lines) for name in variants]

    def case_in(self):
        topic = self.filled_topic()
        kcat = self.tool("kcat", "-C", "-e", "-q", "-o", "beginning", "-t", topic)
        readers = {"kafka-cat-in": self.tool("kafka-cat-in", "-t", topic, "-e")}
        if KCAT not in self.args.missing:
            readers |= {"kcat -C": kcat, "kcat -C, large fetches and queues": kcat + LARGE}
        for name, reader in readers.items():
            self.same("lines", name, lines_of(reader), self.args.lines)
        variants = {name: ((lambda reader=reader: [reader]), [0], os.devnull) for name, reader in readers.items()}
        return self.contest("a topic to nowhere", variants, "kafka-cat-in")

    def case_out(self):
        ours = lambda *args: lambda topic: [self.tool("kafka-cat-out", "-t", topic, *args)]
        kcat = lambda *args: lambda topic: [self.tool("kcat", "-P", "-q", "-t", topic, *args)]
        plain, keyed = {"kafka-cat-out": ours()}, {"kafka-cat-out --key": ours("--key", "key")}
        if KCAT not in self.args.missing:
            plain |= {"kcat -P, the same settings": kcat(*SAME), "kcat -P -z lz4": kcat("-z", "lz4")}
            keyed |= {"kcat -P -K, the same settings": kcat(*SAME, "-K", "\t")}
        rows = self.written("a file to a topic", plain, "kafka-cat-out", lambda name: self.file)
        rows += self.written("with keys", keyed, "kafka-cat-out --key", lambda name: self.with_keys() if "kcat" in name else self.file)
        return rows + self.transactions()

    def written(self, title, writers, base, source):
        topics = {name: self.topic() for name in writers}
        variants = {name: ((lambda name=name: writers[name](topics[name])), [0], source(name)) for name in writers}
        rows = self.contest(title, variants, base)
        for name, topic in topics.items():
            self.same("messages", name, self.messages_of(topic), self.args.rounds * self.args.lines)
        return rows

    def transactions(self):
        topics = self.topic(), self.topic()
        source = ["file-cat-in", str(self.file)]
        checked = lambda: source + ["--exactly-once", "--state", str(self.state()), "--interval", "1s"]
        plain = "file-cat-in | kafka-cat-out"
        return self.contest("at the end of a stream", {
            plain: (lambda: [source, self.tool("kafka-cat-out", "-t", topics[0])], [1], os.devnull),
            "the same, a transaction a second": (lambda: [checked(), self.tool("kafka-cat-out", "-t", topics[1])], [1], os.devnull),
        }, plain)

    def with_keys(self):
        """The lines as kcat wants them: each with its key before it."""
        keyed = self.work / "keyed"
        if not keyed.exists():
            with open(self.file) as lines, open(keyed, "w") as out:
                for line in lines:
                    out.write(json.loads(line)["key"] + "\t" + line)
        return str(keyed)

    def messages_of(self, topic):
        """By the offsets of its partitions' ends; nothing was deleted, and no transaction is in it."""
        return sum(1 + int(last["offset"]) for last in self.last_of(topic))

    def last_of(self, topic):
        """The last message of each partition."""
        read = self.tool("kafka-cat-in", "-t", topic, "-o", "-1", "-e", "--envelope")
        return map(json.loads, subprocess.run(read, check=True, capture_output=True, text=True).stdout.splitlines())

    def same(self, what, name, found, expected):
        if found != expected:
            sys.exit(f"bench: {name}: {found} {what}, and {expected} were expected")

    def state(self):
        self.made += 1
        return self.work / f"state-{self.made}"

    def job(self, topic, result):
        state = self.state()
        return [self.tool("kafka-cat-in", "-t", topic, "-e", "-G", state.name + f"-{os.getpid()}", "--exactly-once",
                          "--state", str(state), "--interval", "1s"),
                WINDOW, AGGREGATE, self.tool("kafka-cat-out", "-t", result)]

    def case_settings(self):
        rows = []
        for partitions in PARTITIONS:
            topic, into = self.topic(partitions), self.topic(partitions)
            with open(self.file, "rb") as lines:
                subprocess.run(self.tool("kafka-cat-out", "-t", topic), stdin=lines, check=True)
            reader, writer = self.tool("kafka-cat-in", "-t", topic, "-e"), self.tool("kafka-cat-out", "-t", into)
            readers = [setting("queued.min.messages", queue) for queue in QUEUES_IN]
            writers = [setting("queue.buffering.max.messages", queue) for queue in QUEUES_OUT]
            rows += self.varied(f"a topic to nowhere, {partitions} partitions", reader, readers, os.devnull)
            rows += self.varied(f"a file to a topic, {partitions} partitions", writer, writers, self.file)
        return rows

    def varied(self, title, command, settings, source):
        variants = {" ".join(words) or "as it is": ((lambda words=words: [command + words]), [0], source) for words in settings}
        return self.contest(title, variants, "as it is")

    def case_job(self):
        topic, result, title = self.filled_topic(), self.topic(1), "the standard job, exactly-once, topic to topic"
        runs = []
        for number in range(self.args.rounds):
            say(f"{title}, round {number + 1} of {self.args.rounds}")
            runs.append(pipeline.run(self.job(topic, result), os.devnull, None))
        parts = {"all four": range(4)} | {f"of it {part['stage']}": [at] for at, part in enumerate(runs[0]["parts"])}
        return [row(title, name, [part_of(run, counted) for run in runs], None, self.args.lines) for name, counted in parts.items()]

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
            row = {"table": "from the line that closes a window to its result", "system": name, "results": len(late)}
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
        self.children = pipeline.start_all(self.stages, os.devnull, os.devnull)

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


def setting(name, value):
    return ["-X", f"{name}={value}"] if value else []


def part_of(run, counted):
    """What a run took, of only those of its stages that are meant."""
    parts = [run["parts"][at] for at in counted]
    return {"wall_s": run["wall_s"], "cpu_s": sum(part["user_s"] + part["system_s"] for part in parts),
            "memory_mib": sum(part["memory_mib"] for part in parts)}


def row(title, name, taken, base, lines):
    figures = lambda runs: {figure: [run[figure] for run in runs] for figure in taken[0]}
    told = {"table": title, "system": name, "rounds": len(taken), **({"peer": KCAT} if name.startswith(KCAT) else {}),
            **summary(figures(taken), figures(base) if base else None)}
    return told | {"cpu_us_per_line": round(told["cpu_s"] / lines * 1e6, 3)}


def lines_of(reader):
    with subprocess.Popen(reader, stdout=subprocess.PIPE) as child:
        count = sum(chunk.count(b"\n") for chunk in iter(lambda: child.stdout.read(1 << 20), b""))
    return count if child.returncode == 0 else f"exit code {child.returncode}"


def main():
    parser = argparse.ArgumentParser(prog="bench/kafka.py", description="The Kafka ends against kcat, with a real broker.")
    add_arguments(parser)
    parser.add_argument("--history", metavar="FILE", help="append the rows as NDJSON")
    args = parser.parse_args()
    unknown = set(args.cases) - {*CASES, *ON_REQUEST}
    if unknown:
        parser.error(f"no case {', '.join(sorted(unknown))}; there are: {', '.join([*CASES, *ON_REQUEST])}")
    args.missing = []
    rows = run(args)
    for title in dict.fromkeys(row["table"] for row in rows):
        print(f"{title}:\n\n{report.table([row for row in rows if row['table'] == title])}")
    if args.history:
        with open(args.history, "a") as history:
            for row in rows:
                history.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main()
