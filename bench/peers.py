"""The programs that we are compared with: what they are called, and which version is here."""
import subprocess
import sys

# A name for people, the program that scripts/needs knows, and what says its version.
VERSIONS = {
    "duckdb": ("duckdb", lambda args: [args.python, "-c", "import duckdb; print(duckdb.__version__)"]),
    "python": ("python3", lambda args: [sys.executable, "--version"]),
    "miller": ("mlr", lambda args: ["mlr", "--version"]),
    "jq": ("jq", lambda args: ["jq", "--version"]),
    "parallel": ("parallel", lambda args: ["parallel", "--version"]),
    "kcat": ("kcat", lambda args: ["kcat", "-V"]),
}


def programs(names):
    return [VERSIONS[name][0] for name in names]


def versions(args, names):
    return {name: version(VERSIONS[name][1](args)) for name in names}


def version(command):
    """The first word with a digit and a point, or with a digit, of what it says."""
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout.replace("jq-", "").split()
    numbers = [word for word in said if word[0].isdigit()]
    return next((word for word in numbers if "." in word), numbers[0] if numbers else "?").rstrip(",")
