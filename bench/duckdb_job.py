"""Jobs in DuckDB: python3 duckdb_job.py JOB SECONDS FILE RESULT

tumbling 10 · hopping 60/5 · keys 0 (no windows) · counts 0 (no windows and no percentiles)
"""
import sys

import duckdb

job, seconds, file, result = sys.argv[1:5]
size, _, slide = seconds.partition("/")

LINES = f"""read_json('{file}', format = 'newline_delimited',
                      columns = {{timestamp: 'TIMESTAMP', key: 'VARCHAR', value: 'DOUBLE'}})"""
START = "strftime({0}, '%Y-%m-%dT%H:%M:%SZ') AS window_start,"
SOURCES = {
    "tumbling": (START.format(f"time_bucket(INTERVAL {size} SECOND, timestamp)"), LINES),
    # Each line once for each window that it is in, the newest first.
    "hopping": (START.format("start"), f"""(SELECT key, value, unnest(list_transform(range({int(size) // int(slide or 1)}),
        lambda n: time_bucket(INTERVAL {slide} SECOND, timestamp) - to_seconds(n * {slide}))) AS start FROM {LINES})"""),
    "keys": ("", LINES),
    "counts": ("", LINES),
}
PERCENTILES = ", ".join(f"quantile_cont(value, {share}) AS {name}"
                        for share, name in ((0.5, "p50"), (0.9, "p90"), (0.95, "p95"), (0.99, "p99")))
percentiles = "" if job == "counts" else f", {PERCENTILES}"
start, lines = SOURCES[job]
duckdb.sql(f"""
COPY (
    SELECT {start} key, count(*) AS count, sum(value) AS sum, avg(value) AS avg, min(value) AS min, max(value) AS max
           {percentiles}
    FROM {lines}
    GROUP BY ALL
    ORDER BY ALL
) TO '{result}' (FORMAT json)
""")
