"""Runs a pipeline of programs and says what it took.

Wall time is from the first start to the last exit. CPU is user + system of all processes. Memory is the sum of the
processes' peaks, each read while the process lives: what wait4 tells includes the program that forked it.
"""
import os
import subprocess
import sys
import time
from pathlib import Path

LOOK_EVERY_S = 0.002


def run(stages, source, result):
    """Starts all stages, joined by pipes, the first one reading the file `source`; waits for all.

    The last one's output is in `result` afterwards, unless it wrote that file or folder itself.
    """
    written = f"{result}.out"
    start = time.perf_counter()
    children = start_all(stages, source, written)
    peaks_kib = wait_for_all(children)
    wall = time.perf_counter() - start
    for stage, child in zip(stages, children):
        if child.returncode != 0:
            sys.exit(f"bench: {stage[0]} ended with {child.returncode}: {' '.join(stage)}")
    if not Path(result).exists():
        os.rename(written, result)
    parts = [part(stage, child, kib) for stage, child, kib in zip(stages, children, peaks_kib)]
    return {
        "wall_s": wall, "cpu_s": sum(part["user_s"] + part["system_s"] for part in parts),
        "memory_mib": sum(part["memory_mib"] for part in parts), "parts": parts,
    }


def start_all(stages, source, written):
    children, stdin = [], open(source, "rb")
    for at, stage in enumerate(stages):
        stdout = subprocess.PIPE if at + 1 < len(stages) else open(written, "wb")
        children.append(subprocess.Popen(stage, stdin=stdin, stdout=stdout))
        stdin.close()
        stdin = children[-1].stdout
        if stdin is None:
            stdout.close()
    return children


def wait_for_all(children):
    """Waits for all; the peaks of their memory."""
    peaks = [0] * len(children)
    running = set(range(len(children)))
    while running:
        for at in list(running):
            pid, status, usage = os.wait4(children[at].pid, os.WNOHANG)
            if pid:
                children[at].returncode = os.waitstatus_to_exitcode(status)
                children[at].usage = usage
                running.discard(at)
            else:
                peaks[at] = max(peaks[at], peak_kib(children[at].pid))
        time.sleep(LOOK_EVERY_S)
    return peaks


def part(stage, child, kib):
    return {"stage": Path(stage[0]).name, "user_s": child.usage.ru_utime, "system_s": child.usage.ru_stime,
            "memory_mib": kib / 1024}


def peak_kib(pid):
    """The most memory that a process has had so far; 0 when it has ended."""
    try:
        with open(f"/proc/{pid}/status") as status:
            return next((int(line.split()[1]) for line in status if line.startswith("VmHWM")), 0)
    except OSError:
        return 0
