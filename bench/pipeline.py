"""Runs a pipeline of programs and says what it took.

Wall time is from the first start to the last exit. CPU is user + system of all processes, those that they start included.
Memory is the sum of the stages' peaks; a stage's is its own and that of the programs that it has running. It is read while
they live: what wait4 tells includes the program that forked them.
"""
import os
import select
import subprocess
import sys
import time
from pathlib import Path

LOOK_EVERY_MS = 5


def run(stages, source, result):
    """Starts all stages, joined by pipes, the first one reading the file `source`; waits for all.

    The last one's output is in `result` afterwards, unless it wrote that file or folder itself; nowhere, without one.
    """
    written = f"{result}.out" if result else os.devnull
    start = time.perf_counter()
    children = start_all(stages, source, written)
    peaks_kib = wait_for_all(children)
    wall = time.perf_counter() - start
    for stage, child in zip(stages, children):
        if child.returncode != 0:
            sys.exit(f"bench: {stage[0]} ended with {child.returncode}: {' '.join(stage)}")
    if result and not Path(result).exists():
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
    ends, running = select.poll(), {}
    for at, child in enumerate(children):
        running[os.pidfd_open(child.pid)] = at
    for end in running:
        ends.register(end, select.POLLIN)
    while running:
        ended = [end for end, _ in ends.poll(LOOK_EVERY_MS)]
        for end in ended:
            child = children[running.pop(end)]
            ends.unregister(end)
            os.close(end)
            _, status, child.usage = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
        for at in running.values() if not ended else ():
            peaks[at] = max(peaks[at], tree_kib(children[at].pid))
    return peaks


def part(stage, child, kib):
    return {"stage": Path(stage[0]).name, "user_s": child.usage.ru_utime, "system_s": child.usage.ru_stime,
            "memory_mib": kib / 1024}


def tree_kib(pid):
    """The peak so far of a process and of those that it has started and that run."""
    try:
        started = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        started = []
    return peak_kib(pid) + sum(tree_kib(int(child)) for child in started)


def peak_kib(pid):
    """The most memory that a process has had so far; 0 when it has ended."""
    try:
        with open(f"/proc/{pid}/status") as status:
            return next((int(line.split()[1]) for line in status if line.startswith("VmHWM")), 0)
    except OSError:
        return 0
