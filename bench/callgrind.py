"""Counts the instructions of a program with valgrind's callgrind.

Valgrind shows every program the same processor (with AVX2, if the real one has it), so the counts are the same on machines
that differ, but for the C library that is there: what is spent in libraries is told apart.
"""
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Counted:
    own: int  # instructions in the program itself
    libraries: int  # in the C library and the loader
    functions: Counter  # by function, libraries included


def count(command, source):
    """Runs a program on the file `source`, its output thrown away."""
    with tempfile.TemporaryDirectory(prefix="millpipe-callgrind-") as folder:
        out = f"{folder}/out"
        with open(source, "rb") as stdin:
            ran = subprocess.run(
                ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", "--cache-sim=no", *command],
                stdin=stdin, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=bare(os.environ))
        if ran.returncode != 0:
            sys.exit(f"bench: under valgrind {command[0]} ended with {ran.returncode}:\n{ran.stderr}")
        files = sorted(Path(folder).glob("out*"))
        return read("".join(file.read_text(errors="replace") for file in files), command[0])


def bare(environment):
    """Without what may change what the loader and the C library choose."""
    return {name: value for name, value in environment.items() if not name.startswith(("GLIBC_", "LD_", "MILLPIPE_"))}


def read(text, program):
    """The format: https://valgrind.org/docs/manual/cl-format.html. Names are told once, and numbered."""
    names, functions = {"ob": {}, "fn": {}}, Counter()
    own, libraries = 0, 0
    inside = function = ""
    after_call = False
    for line in text.splitlines():
        told = re.match(r"(c?)(ob|fn)=\((\d+)\)(?: (.*))?$", line)
        if told:
            called, kind, number, name = told.groups()
            if name is not None:
                names[kind][number] = name
            if not called:
                name = names[kind][number]
                inside, function = (name, function) if kind == "ob" else (inside, name)
        elif line.startswith("calls="):
            after_call = True  # The next line is what the called function took, which is told there too.
        elif line[:1] in "0123456789+-*" and " " in line:
            if not after_call:
                cost = int(line.split()[-1])
                functions[function] += cost
                own, libraries = (own + cost, libraries) if Path(inside).name == Path(program).name else (own, libraries + cost)
            after_call = False
    return Counted(own, libraries, functions)
