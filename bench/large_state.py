#!/usr/bin/env python3
"""How long a pipe stands still at a barrier when an aggregate has many keys, and how long a restart from them takes.

    PATH=target/release:$PATH python3 bench/large_state.py [--keys 1000000] [--changed 10000] [--barriers 100]

Plays source and sink of an `aggregate` itself: all keys once, a barrier; then lines for some keys and a barrier, again and again.
The aggregate does nothing else between reading a barrier and sending it on than to note its state, so that time is how
long the pipe stands still. The snapshot is written beside the stream; how long that takes is told too.
"""
import argparse
import json
import os
import random
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

JOB = ["aggregate", "--by", "key", "count", "sum:value", "min:value", "max:value", "--emit", "end", "--max-keys", "20000000"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--keys", type=int, default=1_000_000)
    parser.add_argument("--changed", type=int, default=10_000)
    parser.add_argument("--barriers", type=int, default=100)
    parser.add_argument("--job", nargs="+", default=JOB, help="the stage, when it is another one")
    args = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="millpipe-large-state-"))
    try:
        print(json.dumps(measure(args, folder)))
    finally:
        shutil.rmtree(folder)


def measure(args, folder):
    stage = Stage(args.job, folder, "a", None)
    first = stage.epoch(lines(range(args.keys)), args.keys)
    memory = stage.memory_kib() * 1024
    stage.wait_for_snapshot()
    stall, saved = [], []
    chance = random.Random(1)
    for _ in range(args.barriers):
        keys = chance.sample(range(args.keys), args.changed)
        stall.append(stage.epoch(lines(keys), args.changed))
        saved.append(stage.wait_for_snapshot())
    last = stage.id()
    files = list((folder / "2-aggregate").iterdir())
    needed = stage.needed_bytes()
    stage.end()
    again = Stage(args.job, folder, "b", last)
    restart = again.epoch(b"", 0) + again.started
    again.end()
    at = lambda values, share: round(sorted(values)[min(len(values) - 1, int(share * len(values)))] * 1000, 1)
    return {
        "keys": args.keys, "changed": args.changed, "barriers": args.barriers, "first_barrier_ms": round(first * 1000, 1),
        "stall_ms": {"p50": at(stall, 0.5), "p99": at(stall, 0.99), "max": at(stall, 1)},
        "saved_after_ms": {"p50": at(saved, 0.5), "p99": at(saved, 0.99), "max": at(saved, 1)},
        "restart_ms": round(restart * 1000, 1), "memory_bytes_per_key": round(memory / args.keys),
        "disk_bytes_per_key": round(needed / args.keys), "files": len(files),
    }


def lines(keys):
    return b"".join(b'{"key":"customer-%d","value":%d.25}\n' % (key, key % 997) for key in keys)


class Stage:
    """An aggregate between us and us."""

    def __init__(self, job, state, run, restore):
        self.state, self.run, self.seq = state, run, 0
        start = time.perf_counter()
        self.process = subprocess.Popen(job, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        restore = {"id": restore, "positions": {}} if restore else None
        self.mark({"$": "hello", "v": 1, "run": run, "hop": 1, "state": str(state), "restore": restore, "sink": None,
                   "interval_ms": 1000})
        self.process.stdout.readline()
        self.started = time.perf_counter() - start

    def mark(self, mark):
        self.write(json.dumps(mark, separators=(",", ":")).encode() + b"\n")

    def write(self, data):
        view = memoryview(data)
        while view:
            view = view[self.process.stdin.write(view):]

    def id(self):
        return f"{self.run}.{self.seq}"

    def epoch(self, data, count):
        """Writes lines and a barrier; how long the barrier took to come out, once the lines before it were read."""
        self.write(data)
        while unread(self.process.stdin) > 0:
            time.sleep(0.0005)
        time.sleep(0.02)
        self.seq += 1
        start = time.perf_counter()
        self.mark({"$": "barrier", "id": self.id(), "lines": count, "positions": {}, "hops": ["source"], "snapshots": []})
        self.process.stdout.readline()
        return time.perf_counter() - start

    def snapshot(self):
        for ending in (".ndjson", ".ndjson.zst"):
            path = self.state / "2-aggregate" / (self.id() + ending)
            if path.exists():
                return path
        return None

    def wait_for_snapshot(self):
        """As the sink does; then the commit."""
        start = time.perf_counter()
        while not self.snapshot():
            if self.process.poll() is not None:
                raise SystemExit(f"large_state: the stage ended with {self.process.returncode}")
            time.sleep(0.0005)
        took = time.perf_counter() - start
        committed = {"id": self.id(), "sink": "files", "snapshots": ["2-aggregate"], "at": ""}
        draft = self.state / "committed.new"
        draft.write_text(json.dumps(committed) + "\n")
        os.rename(draft, self.state / "committed")
        return took

    def needed_bytes(self):
        """What the last snapshot and the files that it builds on take."""
        path = self.snapshot()
        read = ["zstdcat" if path.suffix == ".zst" else "cat", str(path)]
        header = json.loads(subprocess.run(read, capture_output=True, check=True).stdout.splitlines()[0])
        return sum((path.parent / name).stat().st_size for name in [path.name, *header["after"]])

    def memory_kib(self):
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))

    def end(self):
        self.mark({"$": "end", "lines": 0, "drain": False})
        self.process.stdin.close()
        self.process.stdout.read()
        if self.process.wait() != 0:
            raise SystemExit(f"large_state: the stage ended with {self.process.returncode}")


def unread(pipe):
    import array
    import fcntl
    import termios
    size = array.array("i", [0])
    fcntl.ioctl(pipe.fileno(), termios.FIONREAD, size)
    return size[0]


if __name__ == "__main__":
    main()
