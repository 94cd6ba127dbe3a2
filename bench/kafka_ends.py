"""The Kafka ends beside kcat, the standard job from topic to topic, and its latency, with a real broker."""
import argparse

import data
import kafka

PEERS = [kafka.KCAT]


def run(args):
    # Reading and writing alone is fast: twice the lines.
    lines = 2 * args.lines
    return kafka.run(argparse.Namespace(cases=cases(args), lines=lines, rounds=args.rounds, seconds=3 if args.quick else 20,
                                        file=data.requests(args, lines), brokers=None, missing=args.missing))


def cases(args):
    """Latency is measured with kcat, which sends and reads."""
    return [case for case in kafka.CASES if case != "latency" or kafka.KCAT not in args.missing]
