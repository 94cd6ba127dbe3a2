#!/usr/bin/env bash
# Q10, a log for the file system: every bid with its day and its minute.
# file-cat-out -o DIR --partition-by dt,hm behind it writes a folder for each; times are RFC 3339 in UTC, so both are pieces.
set -euo pipefail
parallel-map -j 1 'select(.event_type == "bid")
  | {auction, bidder, price, date_time, extra, dt: .date_time[:10], hm: .date_time[11:16]}'
