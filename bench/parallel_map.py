"""jq filters and other programs over all cores, in order, against jq, jaq and gojq, and GNU parallel."""
import data
import same_rows
from contest import Contestant, contest

PEERS = ["jq", "jaq", "gojq", "parallel"]
JQS = ("jq", "jaq", "gojq")
FILTERS = {
    "a member": ".key",
    "a choice": "select(.status >= 500) | {key, value}",
    "a computed member": ".ms = (.value * 1000 | floor)",
    "texts": '.path |= (split("/") | map(ascii_upcase) | join("/"))',
    "all members": "to_entries | map(select(.value | type == \"string\")) | from_entries",
}
ONE, TWO = "parallel-map -j 1", "parallel-map -j 2"
# Others take 5 µs and more for a line, so few lines are enough for them, and few rounds.
PART, ROUNDS_OF_OTHERS = 4, 2


def run(args):
    """× is to one thread of ours, as the others have one; but for GNU parallel, which has as many as `-j 2`."""
    lines = max(1, args.lines // PART)
    file = data.requests(args, lines)
    rows = []
    for name, text in list(FILTERS.items())[: 2 if args.quick else None]:
        contestants = {ONE: mapped(["-j", "1", text], file), TWO: mapped(["-j", "2", text], file)}
        contestants |= {jq: other(jq, [jq, "-c", text], file) for jq in JQS}
        contestants["parallel --pipe -k jq"] = other("parallel", parallel("2", ["jq", "-c", f"'{text}'"]), file)
        rows += contest(args, f"{name}, {lines:,} lines: {text}", contestants, ONE)
    return rows + programs(args)


def mapped(words, file):
    return Contestant([["parallel-map", *words]], file, read=same_rows.lines)


def other(peer, command, file):
    return Contestant([command], file, rounds=ROUNDS_OF_OTHERS, peer=peer, read=same_rows.lines)


def programs(args):
    """The cost of giving lines to a program and taking them back."""
    file = data.requests(args, args.lines)
    ours = lambda *words: Contestant([["parallel-map", *words, "--", "cat"]], file, lines_of)
    theirs = lambda jobs: Contestant([parallel(jobs, ["cat"])], file, lines_of, peer="parallel")
    contestants = {TWO: ours("-j", "2"), ONE: ours("-j", "1"), f"{TWO} --text": ours("-j", "2", "--text"),
                   "parallel -j 2 --pipe -k": theirs("2"), "parallel -j 1 --pipe -k": theirs("1")}
    return contest(args, "lines through cat", contestants, TWO, agree=["lines"])


def parallel(jobs, command):
    return ["parallel", "--will-cite", "-j", jobs, "--pipe", "-k", *command]


def lines_of(result):
    with open(result, "rb") as file:
        return {"lines": sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b""))}


def profiled(args):
    return [["parallel-map", "-j", "1", FILTERS["a choice"]]], data.requests(args, args.lines)
