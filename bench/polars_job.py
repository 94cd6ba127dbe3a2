"""Jobs in Polars, as its best user would write them: python3 polars_job.py JOB FILE RESULT

Lazily, by the streaming engine, with the schema given; a window of ten seconds is the first 18 characters of the time. Jobs: see
jobs.py.
"""
import sys

import polars as pl

import jobs

job, file, result = sys.argv[1:4]


def lines(**more):
    return pl.scan_ndjson(file, schema={"key": pl.String, "value": pl.Float64} | more)


VALUE = pl.col("value")
COUNTS = [pl.len().alias("count"), VALUE.sum().alias("sum")]
NINE = [*COUNTS, VALUE.mean().alias("avg"), VALUE.min().alias("min"), VALUE.max().alias("max"),
        *(VALUE.quantile(share, "linear").alias(name) for name, share in jobs.PERCENTILES.items())]


def tumbling(seconds):
    if seconds != "10":
        raise SystemExit("polars_job: the characters of a time show windows of ten seconds only")
    bucket = (pl.col("timestamp").str.slice(0, 18) + "0Z").alias("window_start")
    return lines(timestamp=pl.String).group_by(bucket, "key").agg(NINE)


def hopping(size, slide):
    """Each slice's values as a list, which goes into each of its windows."""
    time = pl.col("timestamp").str.to_datetime("%Y-%m-%dT%H:%M:%S%.fZ", time_unit="ms")
    slices = (lines(timestamp=pl.String).with_columns(slice=time.dt.truncate(f"{slide}s"))
              .group_by("slice", "key").agg(VALUE))
    hops = [pl.col("slice") - pl.duration(seconds=slide * hop) for hop in range(size // slide)]
    windows = slices.with_columns(window_start=pl.concat_list(hops)).explode("window_start")
    return windows.group_by("window_start", "key").agg(VALUE.explode()).select(
        "window_start", "key", VALUE.list.len().alias("count"), VALUE.list.sum().alias("sum"), VALUE.list.mean().alias("avg"),
        VALUE.list.min().alias("min"), VALUE.list.max().alias("max"),
        *(VALUE.list.eval(pl.element().quantile(share, "linear")).list.first().alias(name)
          for name, share in jobs.PERCENTILES.items()))


QUERIES = {
    "tumbling": tumbling,
    "hopping": lambda spans: hopping(*map(int, spans.split("/"))),
    "keys": lambda: lines().group_by("key").agg(NINE),
    "counts": lambda: lines().group_by("key").agg(COUNTS),
}
name, *words = job.split(":")
QUERIES[name](*words).sink_ndjson(result, engine="streaming")
