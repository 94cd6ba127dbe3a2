"""Jobs in DuckDB, as its best user would write them: python3 duckdb_job.py JOB FILE RESULT

The schema is given, so that nothing is guessed from the file and no other member is read. Windows are grouped by a timestamp;
all percentiles are one call; nothing is sorted that nobody asked to be. Jobs: see jobs.py.
"""
import sys

import duckdb

import jobs

job, file, result = sys.argv[1:4]


def lines(**more):
    columns = ", ".join(f"{name}: '{sort}'" for name, sort in ({"key": "VARCHAR", "value": "DOUBLE"} | more).items())
    return f"read_json('{file}', format = 'newline_delimited', columns = {{{columns}}})"


COUNTS = "count(*) AS count, sum(value) AS sum"
NINE = f"{COUNTS}, avg(value) AS avg, min(value) AS min, max(value) AS max"
PERCENTILES = ", ".join(f"all_of[{number}] AS {name}" for number, name in enumerate(jobs.PERCENTILES, 1))
SHARES = list(jobs.PERCENTILES.values())
TIMED = lines(timestamp="TIMESTAMP")


def grouped(start, source):
    return f"""SELECT * EXCLUDE all_of, {PERCENTILES} FROM (
        SELECT {start} key, {NINE}, quantile_cont(value, {SHARES}) AS all_of FROM {source} GROUP BY ALL)"""


def hopping(size, slide):
    """Each line goes into one slice; a window is put together of the slices that it has."""
    return f"""
        WITH slices AS (
            SELECT time_bucket(INTERVAL {slide} SECOND, timestamp) AS slice, key, count(*) AS n, sum(value) AS total,
                min(value) AS low, max(value) AS high, list(value) AS held
            FROM {TIMED} GROUP BY ALL),
        windows AS (
            SELECT slice - to_seconds({slide} * hop) AS window_start, key, sum(n)::BIGINT AS count, sum(total) AS sum,
                min(low) AS min, max(high) AS max, list_aggregate(flatten(list(held)), 'quantile_cont', {SHARES}) AS all_of
            FROM slices, range({size // slide}) AS hops(hop) GROUP BY ALL)
        SELECT * EXCLUDE all_of, sum / count AS avg, {PERCENTILES} FROM windows"""


def selection(condition):
    """All members, as a selection of lines gives them."""
    return f"SELECT * FROM {lines(timestamp='VARCHAR', key='VARCHAR', status='INTEGER', path='VARCHAR', host='VARCHAR')} WHERE {condition}"


def join(minutes, border):
    """The file is read once for both sides, which meet by an inequality."""
    return f"""
        WITH lines AS MATERIALIZED (SELECT * FROM {lines(timestamp="TIMESTAMP", path="VARCHAR", host="VARCHAR")}),
        a AS (SELECT * FROM lines WHERE value < {border}), b AS (SELECT * FROM lines WHERE value >= {border})
        SELECT key, a.value AS "left", a.timestamp AS "at", b.value AS "right", b.path, b.host FROM a JOIN b USING (key)
        WHERE b.timestamp BETWEEN a.timestamp - INTERVAL {minutes} MINUTE AND a.timestamp + INTERVAL {minutes} MINUTE"""


QUERIES = {
    "tumbling": lambda seconds: grouped(f"time_bucket(INTERVAL {seconds} SECOND, timestamp) AS window_start,", TIMED),
    "hopping": lambda spans: hopping(*map(int, spans.split("/"))),
    "keys": lambda: grouped("", lines()),
    "counts": lambda: f"SELECT key, {COUNTS} FROM {lines()} GROUP BY ALL",
    "of-user": lambda key: selection(f"key = '{key}'"),
    "status": lambda status: selection(f"status >= {status}"),
    "join": lambda minutes, border: join(minutes, border),
}
name, *words = job.split(":")
duckdb.sql(f"COPY ({QUERIES[name](*words)}) TO '{result}' (FORMAT json)")
