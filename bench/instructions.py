"""Instructions for each line, of single stages, and what they should be.

The difference of two runs of different length, so that start-up does not count. Load and clock of the machine do not
matter, so a regression of a few percent is seen even where time says nothing. What is expected is kept in
instructions.json, for each architecture.
"""
import json
import platform
import shutil
import subprocess
import tempfile
from pathlib import Path

import callgrind
import report
from contest import say
from standard_job import AGGREGATE, WINDOW

KEPT = Path(__file__).resolve().parent / "instructions.json"
SHORT, LONG = 20_000, 50_000
# A hundred lines for each key and window, as in the standard job.
LINES = ["generate", "--keys", "100", "--event-rate", "1000/s", "--out-of-order", "200ms", "--lines"]
HOPPING = ["window", "--size", "12s", "--slide", "1s", "--lateness", "2s"]
# Name to what makes the stage's input of the lines, if it is not they, and the stage; FILE stands for the input's name.
STAGES = {
    "window": (None, WINDOW),
    "aggregate": (WINDOW, AGGREGATE),
    "aggregate, hopping": (HOPPING, AGGREGATE),
    "watermark": (None, ["watermark", "--lateness", "2s"]),
    "parallel-map": (None, ["parallel-map", "-j", "1", "select(.status >= 500) | {key, value}"]),
    "file-cat-in": (None, ["file-cat-in", "FILE"]),
}
# So much more is a regression; so much less should be kept. What is spent in libraries is compared with the same C library only.
TOLERANCE, TOLERANCE_OF_LIBRARIES = 0.03, 0.1
FEW = 3  # A difference of so few instructions for a line says nothing.
SLOW = {"parallel-map": 5}  # These get a part of the lines.


def run(args):
    """Counts and prints; the exit code of the check."""
    now = {}
    with tempfile.TemporaryDirectory(prefix="millpipe-instructions-") as folder:
        for name, (before, stage) in STAGES.items():
            say(f"counting instructions: {name}")
            now[name] = for_each_line(before, stage, SLOW.get(name, 1), Path(folder))
    rows = [{"table": "instructions for each line", "system": name, "instructions": told["own"] + told["libraries"],
             "library_instructions": told["libraries"]} for name, told in now.items()]
    facts = report.facts(args, {"lines": LONG}, {})
    text = report.page_text(rows, facts, "scripts/bench --instructions")
    print(text, flush=True)
    if args.page:
        report.put_into(args.page, ["instructions"], text)
    if args.history:
        report.append(args.history, facts, [{"case": "instructions"} | row for row in rows])
    kept = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    here = {"libc": " ".join(platform.libc_ver()), "stages": now}
    if args.write:
        KEPT.write_text(json.dumps(kept | {platform.machine(): here}, indent=2) + "\n")
    return check(here, kept.get(platform.machine())) if args.check else 0


def for_each_line(before, stage, part, folder):
    few, many = SHORT // part, LONG // part
    short, long = (counted(before, stage, lines, folder) for lines in (few, many))
    each = lambda figure: round((getattr(long, figure) - getattr(short, figure)) / (many - few))
    return {"own": each("own"), "libraries": each("libraries")}


def counted(before, stage, lines, folder):
    file = folder / "in"
    with open(file, "wb") as out:
        source = subprocess.Popen([*LINES, str(lines)], stdout=subprocess.PIPE if before else out)
        if before:
            subprocess.run(before, stdin=source.stdout, stdout=out, check=True)
        if source.wait() != 0:
            raise SystemExit("bench: generate failed")
    command = [shutil.which(stage[0]), *(word.replace("FILE", str(file)) for word in stage[1:])]
    return callgrind.count(command, file)


def check(here, kept):
    """Says what differs; 1 if something got worse, or a stage is new. Of an architecture that is new all is taken."""
    if kept is None:
        say(f"nothing is kept for {platform.machine()}: scripts/bench --instructions --write")
        return 0
    tolerances = {"own": TOLERANCE} | ({"libraries": TOLERANCE_OF_LIBRARIES} if here["libc"] == kept["libc"] else {})
    worse = 0
    for name, told in here["stages"].items():
        for figure, tolerance in tolerances.items():
            expected = kept["stages"].get(name, {}).get(figure)
            if expected is None:
                say(f"{name}: nothing is kept for it: scripts/bench --instructions --write")
                worse = 1
                continue
            what = f"{name}: {told[figure]} instructions for a line{' in libraries' * (figure == 'libraries')}, {expected} are kept"
            if told[figure] > expected * (1 + tolerance) + FEW:
                say(f"{what}: too many. If it has to be so: scripts/bench --instructions --write")
                worse = 1
            elif told[figure] < expected * (1 - tolerance) - FEW:
                say(f"{what}: better. Keep it: scripts/bench --instructions --write")
    return worse
