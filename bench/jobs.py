"""What the jobs of other systems share: the names of jobs, and of percentiles.

tumbling:10, hopping:60/5 (seconds): per key and window the count, sum, average, minimum, maximum and four percentiles
keys, counts: per key the same, and only count and sum
of-user:user-42, status:500: the lines with this key, the lines with this status or a higher one
join:1:20.1: the lines with a value below 20.1 with those of the same key above it that are at most a minute away
"""
PERCENTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}
