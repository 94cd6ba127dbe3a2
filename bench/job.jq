# The standard job in jq: jq -cn -f job.jq < requests.ndjson > result.ndjson
def percentile($p):
  ($p / 100 * (length - 1)) as $at | ($at | floor) as $low | ([$low + 1, length - 1] | min) as $high
  | .[$low] + (.[$high] - .[$low]) * ($at - $low);

# Sorting all lines is faster here than growing a table: jq copies what it updates deep inside.
[inputs | [.timestamp[:18] + "0Z", .key, .value]] | group_by(.[:2])[]
| .[0][:2] as [$window, $key]
| map(.[2]) | sort
| { window_start: $window, key: $key, count: length, sum: add, avg: (add / length), min: .[0], max: .[-1],
    p50: percentile(50), p90: percentile(90), p95: percentile(95), p99: percentile(99) }
