#!/usr/bin/env bash
# Q7, highest bid: the bids whose price is the highest of a 10 s window that they are in, its end included.
# A copy of each bid's price goes into a window, where it may be late; the bid itself never is, and meets the window's result.
set -euo pipefail
parallel-map -j 1 --where '.event_type == "bid"' '., {price, date_time}' \
  | window --size 10s --time date_time --lateness 4s --where '.event_type == null' \
  | aggregate --where 'has("window_start")' price=max:price \
  | stream-join --left '.event_type == "bid"' --right 'has("window_start")' --on price \
    --keep 30s --left-time date_time --right-time window_end --others drop --plain \
    --left-fields auction,price,bidder,date_time,extra --right-fields window_start,window_end \
  | parallel-map -j 1 'select(.window_start[:19] <= .date_time[:19] and .date_time[:23] <= .window_end[:19] + ".000")
    | {auction, price, bidder, date_time, extra}'
