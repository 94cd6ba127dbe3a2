"""The files that cases read, made once and kept."""
import os
import subprocess
import sys
from pathlib import Path

from contest import say

HERE = Path(__file__).resolve().parent


def requests(args, lines, *flags):
    """10,000 lines per second of event time, 1,000 users, up to 2 s out of order, about 150 bytes a line."""
    name = "-".join(["requests", *(flag.lstrip("-").replace("/", "p") for flag in flags), str(lines)])
    return made(args, f"{name}.ndjson", ["generate", "--lines", str(lines), "--out-of-order", "2s", *flags])


def in_order(args, lines, keys):
    """The same in the order of their times, of so many keys; 1,000 lines per second of event time."""
    return made(args, f"in-order-{keys}-{lines}.ndjson", ["generate", "--lines", str(lines), "--keys", str(keys), "--event-rate", "1000/s"])


def mixed(args, lines):
    """The same requests, as many writers would write them: mixed_lines.py says how."""
    source = requests(args, lines)
    return made(args, f"mixed-{lines}.ndjson", [sys.executable, str(HERE / "mixed_lines.py")], source)


def made(args, name, command, source=os.devnull):
    file = Path(args.work) / name
    if not file.exists():
        say(f"writing {name}")
        draft = f"{file}.new"
        with open(source, "rb") as stdin, open(draft, "wb") as stdout:
            subprocess.run(command, stdin=stdin, stdout=stdout, check=True)
        os.rename(draft, file)
    return str(file)
