"""Several ways to do one thing, run in turns, so that a machine that is slow for a while is so for all of them."""
import shutil
import statistics
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

import pipeline

FIGURES = ("wall_s", "cpu_s", "memory_mib")


@dataclass
class Contestant:
    stages: list  # of commands, each a list of words
    source: str  # the file that the first one reads
    check: Callable = lambda result: {}  # the result's path to facts that all contestants agree in
    rounds: int = 0  # for one that is slow: no more than these
    leaves: tuple = ()  # files and folders to clear away before each run


def contest(args, title, contestants, base, agree=()):
    """Rows of figures, one for each contestant; ratios are to `base`, within the same rounds.

    A contestant whose facts of these names (`agree`) are not those of the others fails the whole benchmark.
    """
    chosen = {name: contestant for name, contestant in contestants.items() if args.systems is None or name in args.systems}
    result = str(Path(args.work) / "result")
    runs = {name: [] for name in chosen}
    for round_number in range(args.rounds):
        for name in in_turn(list(chosen), round_number):
            contestant = chosen[name]
            if contestant.rounds and round_number >= contestant.rounds:
                continue
            say(f"{title}, round {round_number + 1} of {args.rounds}: {name}")
            clear([result, *contestant.leaves])
            runs[name].append(pipeline.run(contestant.stages, contestant.source, result))
            runs[name][-1]["facts"] = contestant.check(result)
    compare_facts(title, runs, agree)
    return [row(title, name, runs, base) for name in chosen if runs[name]]


def in_turn(names, round_number):
    """Another one begins in each round."""
    at = round_number % max(1, len(names))
    return names[at:] + names[:at]


def compare_facts(title, runs, agree):
    for fact in agree:
        told = {name: {run["facts"][fact] for run in taken if fact in run["facts"]} for name, taken in runs.items()}
        if len(set().union(*told.values())) > 1:
            sys.exit(f"bench: {title}: not all agree in {fact}: {told}")


def row(title, name, runs, base):
    taken = runs[name]
    figures = {figure: [run[figure] for run in taken] for figure in FIGURES}
    based = {figure: [run[figure] for run in runs[base]] for figure in FIGURES} if base in runs else {}
    return {"table": title, "system": name, "rounds": len(taken), **summary(figures, based), **taken[0]["facts"],
            "parts": parts(taken), "runs": figures}


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
