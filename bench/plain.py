"""The standard job as a tutorial does it: plain Python, one dict, one list of values per cell.

    python3 plain.py < requests.ndjson > result.ndjson
"""
import json
import sys

cells = {}
for line in sys.stdin:
    request = json.loads(line)
    time = request["timestamp"]
    window = time[:18] + "0Z"  # 2026-01-01T00:00:07.123Z is in the ten seconds from 2026-01-01T00:00:00Z
    cells.setdefault((window, request["key"]), []).append(request["value"])


def percentile(values, p):
    at = p / 100 * (len(values) - 1)
    low = int(at)
    high = min(low + 1, len(values) - 1)
    return values[low] + (values[high] - values[low]) * (at - low)


for (window, key), values in sorted(cells.items()):
    values.sort()
    total = sum(values)
    result = {"window_start": window, "key": key, "count": len(values), "sum": total, "avg": total / len(values),
              "min": values[0], "max": values[-1]}
    for p in (50, 90, 95, 99):
        result["p%d" % p] = percentile(values, p)
    print(json.dumps(result))
