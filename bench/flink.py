"""Flink SQL for the queries of Nexmark: scripts/nexmark --flink has fetched it, and it runs here, in a process of its own each time."""
import os
import re
import subprocess
from pathlib import Path

import contest

HERE = Path(__file__).resolve().parent / "flink"
SQL = HERE / "nexmark.sql"
# What a job of Flink's needs to be let into since Java 17; threads are few, so is the time for collecting garbage.
JAVA = ["java", "-Xmx3g", "-XX:+UseParallelGC", "--add-opens=java.base/java.util=ALL-UNNAMED", "--add-opens=java.base/java.lang=ALL-UNNAMED",
        "--add-opens=java.base/java.nio=ALL-UNNAMED", "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED"]
# One for each of two threads, as order holds within a file only: they are read side by side.
FILES = 2


def ways(query):
    """The names of a query's SQL: some can be written in more than one way."""
    return [name for name in re.findall(r"(?m)^-- (.*)$", SQL.read_text()) if name.split()[0] == query]


def version():
    return re.search("<flink.version>(.*?)<", (HERE / "pom.xml").read_text())[1]


def command(args, query, events, *result):
    """The query over the file of events, which goes nowhere or into the file `result`."""
    classpath = f"{args.flink}/classes:{args.flink}/libs/*"
    return [*JAVA, "-cp", classpath, "Nexmark", str(SQL), str(folder(events)), query, *result]


def folder(events):
    """The events in turn in as many files as are read at once."""
    parts = Path(f"{events}.parts")
    if not parts.exists():
        contest.say(f"dividing {Path(events).name} for Flink")
        draft = Path(f"{parts}.new")
        draft.mkdir(exist_ok=True)
        subprocess.run(["split", "-n", f"r/{FILES}", events, f"{draft}/part-"], check=True)
        os.rename(draft, parts)
    return parts


def rows(args, query, events, result):
    """Runs the query for its rows: those of the end, without what was taken back."""
    subprocess.run(command(args, query, events, result), check=True, stdout=subprocess.DEVNULL)
