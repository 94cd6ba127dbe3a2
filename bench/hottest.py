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
import report
from contest import say

SHOWN = 12
PERF = ["perf", "record", "--quiet", "--freq", "2999", "--event", "cpu-clock:u", "--call-graph", "dwarf,8192"]


def run(args, name, case):
    if not hasattr(case, "profiled"):
        raise SystemExit(f"bench: {name} has no pipeline of its own to look at")
    stages, source = case.profiled(args)
    folder = Path(args.work) / "profile" / name
    folder.mkdir(parents=True, exist_ok=True)
    with_perf = works()
    if not with_perf:
        say("perf does not work here: counting instructions with callgrind instead")
    stacks = sampled(stages, source) if with_perf else None
    rows = []
    for at, stage in enumerate(stages):
        if with_perf:
            keep(folder / f"{at + 1}-{stage[0]}", stacks[at], stage)
            leaves = Counter()
            for stack, times in stacks[at].items():
                leaves[stack[-1]] += times
            rows += hottest(stage, leaves)
        else:
            rows += hottest(stage, callgrind.count(stage, source).functions)
            source = output(stage, source, folder / f"{at + 1}-{stage[0]}.out")
    told = report.facts(args, {}, {})
    how = "samples by perf, of time outside of the kernel" if with_perf else "instructions by callgrind"
    text = report.page_text(rows, told, f"scripts/bench --profile {name} --lines {args.lines}")
    print(f"{how[:1].upper()}{how[1:]}. {text}")
    if with_perf:
        print(f"stacks and flame graphs: {folder}/*.folded, *.svg")
    if args.page:
        report.put_into(args.page, [f"profile of {name}"], f"{how[:1].upper()}{how[1:]}. {text}")


def keep(name, stacks, stage):
    """The stacks as text, as other tools take them too, and the flame graph."""
    Path(f"{name}.folded").write_text("".join(f"{';'.join(stack)} {times}\n" for stack, times in stacks.items()))
    Path(f"{name}.svg").write_text(flame.graph(stacks, " ".join(stage)))


def works():
    try:
        with tempfile.TemporaryDirectory(prefix="millpipe-perf-") as folder:
            return subprocess.run([*PERF, "--output", f"{folder}/data", "true"], capture_output=True).returncode == 0
    except OSError:
        return False


def hottest(stage, counts):
    total = max(1, sum(counts.values()))
    return [{"table": f"`{' '.join(stage)}`", "system": f"`{function}`", "percent": round(100 * count / total, 1)}
            for function, count in counts.most_common(SHOWN)]


def output(stage, source, file):
    """What a stage makes of its input: the next one's input."""
    file.unlink(missing_ok=True)
    pipeline.run([stage], source, file)
    return file


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
