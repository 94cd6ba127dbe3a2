"""Jobs in ClickHouse, by chDB, as its best user would write them: python3 chdb_job.py JOB FILE RESULT

The schema is given; a window of ten seconds is the first 18 characters of the time, which is faster than to make a time of it.
Jobs: see jobs.py.
"""
import sys

import chdb

import jobs

job, file, result = sys.argv[1:4]


def lines(columns):
    return f"file('{file}', 'JSONEachRow', '{columns}')"


SHARES = ", ".join(map(str, jobs.PERCENTILES.values()))
PERCENTILES = ", ".join(f"all_of[{number}] AS {name}" for number, name in enumerate(jobs.PERCENTILES, 1))
COUNTS = "count() AS count, sum(value) AS sum"
NINE = f"{COUNTS}, avg(value) AS avg, min(value) AS min, max(value) AS max"
KEYED, TIMED = "key String, value Float64", "timestamp String, key String, value Float64"


def grouped(start, group, source):
    return f"""SELECT * EXCEPT all_of, {PERCENTILES} FROM (
        SELECT {start} key, {NINE}, quantilesExactInclusive({SHARES})(value) AS all_of FROM {source} GROUP BY {group} key)"""


def tumbling(seconds):
    if seconds != "10":
        raise SystemExit("chdb_job: the characters of a time show windows of ten seconds only")
    return grouped("concat(bucket, '0Z') AS window_start,", "substring(timestamp, 1, 18) AS bucket,", lines(TIMED))


def hopping(size, slide):
    """States of slices, merged in each of their windows."""
    return f"""
        WITH slices AS (
            SELECT toStartOfInterval(timestamp, INTERVAL {slide} SECOND) AS slice, key, countState() AS n, sumState(value) AS total,
                minState(value) AS low, maxState(value) AS high, quantilesExactInclusiveState({SHARES})(value) AS held
            FROM {lines("timestamp DateTime64(3), key String, value Float64")} GROUP BY slice, key)
        SELECT * EXCEPT all_of, sum / count AS avg, {PERCENTILES} FROM (
            SELECT slice - {slide} * hop AS window_start, key, countMerge(n) AS count, sumMerge(total) AS sum, minMerge(low) AS min,
                maxMerge(high) AS max, quantilesExactInclusiveMerge({SHARES})(held) AS all_of
            FROM slices ARRAY JOIN range({size // slide}) AS hop GROUP BY window_start, key)"""


QUERIES = {
    "tumbling": tumbling,
    "hopping": lambda spans: hopping(*map(int, spans.split("/"))),
    "keys": lambda: grouped("", "", lines(KEYED)),
    "counts": lambda: f"SELECT key, {COUNTS} FROM {lines(KEYED)} GROUP BY key",
}
SETTINGS = """output_format_json_quote_64bit_integers = 0, date_time_input_format = 'best_effort', session_timezone = 'UTC',
    engine_file_truncate_on_insert = 1"""
name, *words = job.split(":")
chdb.query(f"INSERT INTO FUNCTION file('{result}', 'JSONEachRow') {QUERIES[name](*words)} SETTINGS {SETTINGS}")
