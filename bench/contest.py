"""Several ways to do one thing, run in turns, so that a machine that is slow for a while is so for all of them."""
import os
import shutil
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

import pipeline
import same_rows

FIGURES = ("wall_s", "cpu_s", "memory_mib")


@dataclass
class Contestant:
    stages: list  # of commands, each a list of words
    source: str  # the file that the first one reads
    check: Callable = lambda result: {}  # the first result's path to facts that all contestants agree in
    rounds: int = 0  # for one that is slow: no more than these
    leaves: tuple = ()  # files and folders to clear away before each run
    peer: str = ""  # whose program it is, if it is not ours: what it does better is marked in tables
    read: Callable | None = None  # reads a result for same_rows, if its rows must be those of the base


def contest(args, title, contestants, base, agree=(), rounds=None):
    """Rows of figures, one for each contestant; ratios are to `base`, within the same rounds.

    A contestant whose rows are not those of `base`, or whose facts of these names (`agree`) are not those of the others, fails
    the whole benchmark. One whose program could not be had is left out, and named above the table.
    """
    chosen = {name: contestant for name, contestant in contestants.items() if is_chosen(args, name, contestant)}
    rounds = min(args.rounds, rounds or args.rounds)
    result = str(Path(args.work) / "result")
    runs = {name: [] for name in chosen}
    read_once({contestant.source for contestant in chosen.values()})
    for number in range(rounds):
        for name in in_turn(list(chosen), number):
            contestant = chosen[name]
            if contestant.rounds and number >= contestant.rounds:
                continue
            say(f"{title}, round {number + 1} of {rounds}: {name}")
            clear([result, *contestant.leaves])
            runs[name].append(pipeline.run(contestant.stages, contestant.source, result))
            runs[name][-1]["facts"] = contestant.check(result) if number == 0 else {}
            if number == 0 and contestant.read:
                os.rename(result, kept(result, name))
        if number == 0:
            compare_rows(title, chosen, base, result)
    compare_facts(title, runs, agree)
    return [row(title, name, chosen[name], runs, base) for name in chosen if runs[name]]


def is_chosen(args, name, contestant):
    """`--systems` names them, or whose they are."""
    if contestant.peer in args.missing:
        return False
    return args.systems is None or name in args.systems or (contestant.peer != "" and contestant.peer in args.systems)


def read_once(files):
    """So that none of the systems waits for a disk that others do not wait for."""
    for path in files:
        subprocess.run(["cat", path], stdout=subprocess.DEVNULL, check=True)


def in_turn(names, round_number):
    """Another one begins in each round."""
    at = round_number % max(1, len(names))
    return names[at:] + names[:at]


def kept(result, name):
    """Where a result stays until it is compared."""
    return f"{result}-of-{''.join(letter if letter.isalnum() else '-' for letter in name)}"


def compare_rows(title, chosen, base, result):
    names = [name for name, contestant in chosen.items() if contestant.read]
    for name in names:
        if base in names and name != base:
            say(f"{title}: comparing the rows of {name}")
            said = same_rows.different(kept(result, base), kept(result, name), chosen[name].read)
            if said:
                sys.exit(f"bench: {title}: {name}: {said} ({base})")
    clear([kept(result, name) for name in names])


def compare_facts(title, runs, agree):
    for fact in agree:
        told = {name: {run["facts"][fact] for run in taken if fact in run["facts"]} for name, taken in runs.items()}
        if len(set().union(*told.values())) > 1:
            sys.exit(f"bench: {title}: not all agree in {fact}: {told}")


def row(title, name, contestant, runs, base):
    taken = runs[name]
    figures = {figure: [run[figure] for run in taken] for figure in FIGURES}
    based = {figure: [run[figure] for run in runs[base]] for figure in FIGURES} if base in runs else {}
    return {"table": title, "system": name, "rounds": len(taken), **({"peer": contestant.peer} if contestant.peer else {}),
            **summary(figures, based), **taken[0]["facts"], "parts": parts(taken), "runs": figures}


def summary(figures, based=None):
    """Median and range of each figure, and its ratio to the same figure of the one that all are compared with."""
    told = {}
    for figure, values in figures.items():
        told[figure] = round(statistics.median(values), 4)
        told[f"{figure}_range"] = [round(min(values), 4), round(max(values), 4)]
        pairs = list(zip(values, (based or {}).get(figure, [])))
        if pairs and all(ours > 0 for _, ours in pairs):
            told[f"ratio_{figure}"] = round(statistics.median(value / ours for value, ours in pairs), 2)
    return told


def further(title, few, many, base, lines):
    """What each line more costs: rows of one contest less those of another with so many lines less, without any start-up."""
    before = {row["system"]: row for row in few}
    each = {row["system"]: {figure: (row[f"{figure}_s"] - before[row["system"]][f"{figure}_s"]) / lines * 1e6 for figure in ("wall", "cpu")}
            for row in many if row["system"] in before}
    rows = []
    for row in many:
        told = {"table": title, **{name: row[name] for name in ("system", "peer") if name in row}}
        for figure, more in each.get(row["system"], {}).items():
            told[f"{figure}_us_per_line"] = round(more, 4)
            if base in each and each[base][figure] > 0 and more > 0:
                told[f"ratio_{figure}_us_per_line"] = round(more / each[base][figure], 2)
        rows.append(told)
    return rows


def with_rate(rows, lines):
    """Adds how many thousand lines a second of a processor does."""
    return [row | {"thousand_lines_per_cpu_s": round(lines / row["cpu_s"] / 1000)} for row in rows]


def with_bytes_per_key(one, many, keys):
    """Adds what a key takes: the memory of so many beyond that of one, by the rows of the same systems."""
    before = {row["system"]: row["memory_mib"] for row in one}
    more = lambda row: (row["memory_mib"] - before[row["system"]]) * (1 << 20) / max(1, keys - 1)
    return [row | {"bytes_per_key": round(more(row))} for row in many]


def parts(taken):
    """What each stage took: the median over the rounds."""
    stages = zip(*(run["parts"] for run in taken))
    middle = lambda runs, figure: round(statistics.median(run[figure] for run in runs), 4)
    return [{"stage": runs[0]["stage"]} | {figure: middle(runs, figure) for figure in ("user_s", "system_s", "memory_mib")}
            for runs in stages]


def clear(paths):
    for path in map(Path, paths):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)
