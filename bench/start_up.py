"""How long a program takes to start and end with nothing to do, and its memory while it waits for input."""
import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import pipeline
from contest import clear, say

PEERS = ["duckdb", "miller", "jq"]
RUNS = 30
IDLE_AFTER_S = 0.5


def commands(args, folder):
    """Name to command; each reads an empty input and ends."""
    ours = {
        "window": ["--size", "10s"], "aggregate": ["count"], "watermark": [], "parallel-map": ["."],
        "generate": ["--lines", "0"], "file-cat-in": ["-"], "file-cat-out": [f"{folder}/out"], "exec-cat-out": ["--", "cat"],
    }
    told = {name: [name, *flags] for name, flags in ours.items()}
    # These two want a broker for anything else.
    told |= {f"{name} --version": [name, "--version"] for name in ("kafka-cat-in", "kafka-cat-out") if shutil.which(name)}
    others = {
        "jq": ["jq", "."], "miller": ["mlr", "--ijsonl", "cat"],
        "duckdb": [args.python, "-c", "import duckdb, sys; duckdb.sql('select 1'); sys.stdin.read()"],
    }
    told |= {"cat": ["cat"], "python3": ["python3", "-c", "import sys; sys.stdin.read()"]}
    return told | {name: command for name, command in others.items() if name not in args.missing}


def run(args):
    folder = tempfile.mkdtemp(prefix="millpipe-start-up-")
    try:
        chosen = {name: command for name, command in commands(args, folder).items()
                  if args.systems is None or name in args.systems}
        walls = {name: [] for name in chosen}
        for round_number in range(5 if args.quick else max(RUNS, args.rounds)):
            if round_number % 10 == 0:
                say(f"start-up, round {round_number + 1}")
            for name, command in chosen.items():
                clear([f"{folder}/out"])
                walls[name].append(once(command))
        return [row(name, command, walls[name]) for name, command in chosen.items()]
    finally:
        shutil.rmtree(folder)


def once(command):
    start = time.perf_counter()
    subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)
    return (time.perf_counter() - start) * 1000


def row(name, command, walls):
    binary = Path(shutil.which(command[0])).resolve()
    told = {"table": "start-up", "system": name, "start_ms_min": round(min(walls), 2),
            "start_ms": round(statistics.median(walls), 2), "memory_mib": idle_memory_mib(command)}
    told["binary_mib"] = None if "ython" in binary.name else round(binary.stat().st_size / (1 << 20), 2)
    return told | {"rounds": len(walls)}


def idle_memory_mib(command):
    """The peak so far of one that waits for its input; null for one that waits for none."""
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    time.sleep(IDLE_AFTER_S)
    waits = child.poll() is None
    kib = pipeline.peak_kib(child.pid) if waits else 0
    child.communicate()
    return round(kib / 1024, 1) if waits else None
