#!/usr/bin/env bash
# Q7, highest bid: the bids whose price is the highest of a 10 s window that they are in, its end included.
# Bids go on beside the results of their windows, also late ones, which count for nothing, and meet them in a join.
set -euo pipefail
bid='.event_type == "bid"'
window --size 10s --time date_time --lateness 4s --max-ahead off --late pass --where "$bid" \
  | aggregate --where "$bid" --keep-lines --late pass highest=max:price \
  | stream-join --left "$bid" --right 'has("highest")' --on price=highest \
    --keep 15s --left-time date_time --right-time window_end --others drop --plain \
    --left-fields auction,price,bidder,date_time,extra --right-fields window_start,window_end \
  | parallel-map -j 1 'select(.window_start[:19] <= .date_time[:19] and .date_time[:23] <= .window_end[:19] + ".000")
    | {auction, price, bidder, date_time, extra}'
