"""The Kafka ends beside kcat, the standard job from topic to topic, and its latency, with a real broker."""
import argparse

import data
import kafka

PEERS = ["kcat"]
TITLES = {"in": "a topic to nowhere", "out": "a file to a topic", "job": "the standard job, exactly-once, topic to topic",
          "latency": "from the line that closes a window to its result"}


def run(args):
    # Reading and writing alone is fast: twice the lines.
    lines = 2 * args.lines
    asked = argparse.Namespace(cases=list(kafka.CASES), lines=lines, rounds=args.rounds, seconds=3 if args.quick else 20,
                               file=data.requests(args, lines), brokers=None)
    return [row(told) for told in kafka.run(asked)]


def row(told):
    """As the other cases have it. Its ratios are of kcat to ours, and stand beside ours."""
    names = {"ratio_wall_s": "other_wall_s", "ratio_cpu_s": "other_cpu_s"}
    figures = {names.get(name, name): value for name, value in told.items() if name not in ("case", "variant", "lines")}
    return {"table": TITLES.get(told["case"], told["case"]), "system": told["variant"], **figures}
