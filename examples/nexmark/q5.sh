#!/usr/bin/env bash
# Q5, hot items: the auctions with the most bids in each 10 s window, a new window every 2 s; all that tie for the first place.
# The time is that of all events, so the others leave the pipe only when window has seen them.
set -euo pipefail
bid='.event_type == "bid"'
window --size 10s --slide 2s --time date_time --lateness 4s --max-ahead off --where "$bid" \
  | filter "$bid" \
  | aggregate --by auction num=count --keep-marks \
  | top-n -n 1 --ties --order num:desc --window \
  | parallel-map '{auction, num}'
