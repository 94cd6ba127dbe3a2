"""The standard job in DuckDB: python3 duckdb_job.py requests.ndjson result.ndjson"""
import sys

import duckdb

requests, result = sys.argv[1:3]
duckdb.sql(f"""
COPY (
    SELECT strftime(time_bucket(INTERVAL 10 SECOND, timestamp), '%Y-%m-%dT%H:%M:%SZ') AS window_start, key,
           count(*) AS count, sum(value) AS sum, avg(value) AS avg, min(value) AS min, max(value) AS max,
           quantile_cont(value, 0.5) AS p50, quantile_cont(value, 0.9) AS p90,
           quantile_cont(value, 0.95) AS p95, quantile_cont(value, 0.99) AS p99
    FROM read_json('{requests}', format = 'newline_delimited',
                   columns = {{timestamp: 'TIMESTAMP', key: 'VARCHAR', value: 'DOUBLE'}})
    GROUP BY ALL
    ORDER BY ALL
) TO '{result}' (FORMAT json)
""")
