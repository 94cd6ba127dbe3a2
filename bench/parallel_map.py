"""jq filters and other programs over all cores, in order, against jq itself and GNU parallel."""
import data
from contest import Contestant, contest

PEERS = ["jq", "parallel"]
FILTERS = {
    "a member": ".key",
    "a choice": "select(.status >= 500) | {key, value}",
    "a computed member": ".ms = (.value * 1000 | floor)",
    "texts": '.path |= (split("/") | map(ascii_upcase) | join("/"))',
    "all members": "to_entries | map(select(.value | type == \"string\")) | from_entries",
}
ONE, TWO = "parallel-map -j 1", "parallel-map -j 2"


def run(args):
    # jq needs 10 µs and more for a line.
    lines = max(1, args.lines // 5)
    file = data.requests(args, lines)
    rows = []
    for name, text in list(FILTERS.items())[: 2 if args.quick else None]:
        contestants = {
            ONE: Contestant([["parallel-map", "-j", "1", text]], file, lines_of),
            TWO: Contestant([["parallel-map", "-j", "2", text]], file, lines_of),
            "jq": Contestant([["jq", "-c", text]], file, lines_of),
            "parallel --pipe -k jq": Contestant([parallel("2", ["jq", "-c", f"'{text}'"])], file, lines_of),
        }
        rows += contest(args, f"{name}: {text}", contestants, TWO, agree=["lines"])
    return rows + programs(args)


def programs(args):
    """The cost of giving lines to a program and taking them back."""
    file = data.requests(args, args.lines)
    contestants = {
        TWO: Contestant([["parallel-map", "-j", "2", "--", "cat"]], file, lines_of),
        ONE: Contestant([["parallel-map", "-j", "1", "--", "cat"]], file, lines_of),
        f"{TWO} --text": Contestant([["parallel-map", "-j", "2", "--text", "--", "cat"]], file, lines_of),
        "parallel -j 2 --pipe -k": Contestant([parallel("2", ["cat"])], file, lines_of),
        "parallel -j 1 --pipe -k": Contestant([parallel("1", ["cat"])], file, lines_of),
    }
    return contest(args, "lines through cat", contestants, TWO, agree=["lines"])


def parallel(jobs, command):
    return ["parallel", "--will-cite", "-j", jobs, "--pipe", "-k", *command]


def lines_of(result):
    with open(result, "rb") as file:
        return {"lines": sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b""))}


def profiled(args):
    return [["parallel-map", "-j", "1", FILTERS["a choice"]]], data.requests(args, args.lines)
