#!/usr/bin/env bash
# Q14, calculation: bids of a middle price in euros, with the time of day and how many c are in a text.
# The price is exact (--decimal), so a bid at the very border is on the right side of it.
set -euo pipefail
parallel-map -j 1 --decimal 'select(.event_type == "bid")
  | (.price * 0.908) as $price | select(1000000 < $price and $price < 50000000)
  | (.date_time[11:13] | tonumber) as $hour
  | {auction, bidder, price: $price,
     bid_time_type: (if $hour >= 8 and $hour <= 18 then "dayTime" elif $hour <= 6 or $hour >= 20 then "nightTime" else "otherTime" end),
     date_time, extra, c_counts: ([.extra | scan("c")] | length)}'
