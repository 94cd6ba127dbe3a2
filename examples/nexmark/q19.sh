#!/usr/bin/env bash
# Q19, the top ten: the ten highest bids on each auction, with their rank.
# Of equal prices the bid that arrived first is higher.
set -euo pipefail
bid='.event_type == "bid"'
top-n -n 10 --by auction --order price:desc --rank rank_number --where "$bid" \
  | parallel-map "select($bid) | {auction, bidder, price, channel, url, date_time, extra, rank_number}"
