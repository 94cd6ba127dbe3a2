"""Where the time of our stages goes: the hottest functions of each, and a flame graph.

With perf if it works here (the whole pipeline at once, as it runs), else with callgrind (one stage after the other, and
no flame graph: callgrind knows who called whom, not through whom).
"""
import re
import subprocess
import tempfile
from collections import Counter
from pathlib import Path

import callgrind
import flame
import pipeline
from contest import say

SHOWN = 15
PERF = ["perf", "record", "--quiet", "--freq", "2999", "--event", "cpu-clock:u", "--call-graph", "dwarf,8192"]


def run(args, case):
    if not hasattr(case, "profiled"):
        raise SystemExit(f"bench: {case.__name__} has no pipeline of its own to look at")
    stages, source = case.profiled(args)
    folder = Path(args.work) / "profile" / case.__name__
    folder.mkdir(parents=True, exist_ok=True)
    with_perf = works()
    if not with_perf:
        say("perf does not work here: counting instructions with callgrind instead")
    stacks = sampled(stages, source) if with_perf else None
    for at, stage in enumerate(stages):
        name = f"{at + 1}-{stage[0]}"
        if with_perf:
            (folder / f"{name}.folded").write_text("".join(f"{';'.join(stack)} {times}\n" for stack, times in stacks[at].items()))
            (folder / f"{name}.svg").write_text(flame.graph(stacks[at], " ".join(stage)))
            leaves = Counter()
            for stack, times in stacks[at].items():
                leaves[stack[-1]] += times
            show(stage, leaves, "samples")
        else:
            source = alone(stage, source, folder / f"{name}.out")
    if with_perf:
        print(f"\nstacks and flame graphs: {folder}/*.folded, *.svg")


def works():
    try:
        with tempfile.TemporaryDirectory(prefix="millpipe-perf-") as folder:
            return subprocess.run([*PERF, "--output", f"{folder}/data", "true"], capture_output=True).returncode == 0
    except OSError:
        return False


def show(stage, counts, unit):
    total = sum(counts.values())
    print(f"\n{' '.join(stage)}: {total:,} {unit}")
    for function, count in counts.most_common(SHOWN):
        print(f"  {100 * count / max(1, total):5.1f} %  {function}")


def alone(stage, source, output):
    """Counts one stage's instructions; its output is the next one's input."""
    show(stage, callgrind.count(stage, source).functions, "instructions")
    output.unlink(missing_ok=True)
    pipeline.run([stage], source, output)
    return output


def sampled(stages, source):
    """For each stage how often each stack was seen, the outermost function first."""
    with tempfile.TemporaryDirectory(prefix="millpipe-perf-") as folder:
        recorded = [[*PERF, "--output", f"{folder}/{at}", "--", *stage] for at, stage in enumerate(stages)]
        pipeline.run(recorded, source, f"{folder}/result")
        return [folded(f"{folder}/{at}") for at in range(len(stages))]


def folded(data):
    script = subprocess.run(["perf", "script", "--no-inline", "--fields", "ip,sym", "--input", data],
                            capture_output=True, text=True, check=True).stdout
    stacks, stack = Counter(), []
    for line in [*script.splitlines(), ""]:
        words = line.split(maxsplit=1)
        if words:
            stack.append(plain_name(words[1] if len(words) > 1 else "?"))
        elif stack:
            known = [name for name in reversed(stack) if name != "[unknown]"]
            stacks[tuple(known or ["[unknown]"])] += 1
            stack = []
    return stacks


def plain_name(symbol):
    """Without the offset and the hash that Rust puts behind a name; no `;`, which separates."""
    return re.sub(r"(::h[0-9a-f]{16})?(\+0x[0-9a-f]+)?$", "", symbol).replace(";", ",")
