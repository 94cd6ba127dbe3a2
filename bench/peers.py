"""The programs that we are compared with: where they come from, and which version is here."""
import subprocess
import sys
from dataclasses import dataclass
from typing import Callable


@dataclass
class Peer:
    how: str  # scripts/bench knows what this means: a package of Debian, of Python's or Rust's registry, or Go's
    what: str
    version: Callable  # what says it


def of_python(module):
    return lambda args: [args.python, "-c", f"import importlib.metadata as m; print(m.version('{module}'))"]


# The newest versions of 2026-11-29; of Debian's packages those of the release.
PEERS = {
    "duckdb": Peer("pip", "duckdb==2.0.1", of_python("duckdb")),
    "chdb": Peer("pip", "chdb==4.4.0", of_python("chdb")),
    "polars": Peer("pip", "polars==2.1.0", of_python("polars")),
    "jaq": Peer("cargo", "jaq@3.1.2", lambda args: ["jaq", "--version"]),
    "gojq": Peer("go", "github.com/itchyny/gojq/cmd/gojq@v0.12.19", lambda args: ["gojq", "--version"]),
    "python": Peer("program", "python3", lambda args: [sys.executable, "--version"]),
    "miller": Peer("program", "mlr", lambda args: ["mlr", "--version"]),
    "jq": Peer("program", "jq", lambda args: ["jq", "--version"]),
    "parallel": Peer("program", "parallel", lambda args: ["parallel", "--version"]),
    "kcat": Peer("program", "kcat", lambda args: ["kcat", "-V"]),
    "grep": Peer("program", "grep", lambda args: ["grep", "--version"]),
    "rg": Peer("program", "rg", lambda args: ["rg", "--version"]),
}


def needed(names):
    """Lines for scripts/bench: how to get each, its name here, and what it is called there."""
    return [f"{PEERS[name].how} {name} {PEERS[name].what}" for name in sorted(names)]


def versions(args, names):
    return {name: version(PEERS[name].version(args)) for name in names if name not in args.missing}


def version(command):
    """The first word with a digit and a point, or with a digit, of what it says."""
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout.replace("jq-", "").split()
    numbers = [word for word in said if word[0].isdigit()]
    return next((word for word in numbers if "." in word), numbers[0] if numbers else "?").rstrip(",")
