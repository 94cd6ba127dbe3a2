#!/usr/bin/env bash
# Q18, the last bid: of each bidder on each auction the one with the latest date_time.
# Of equal times the bid that arrives last counts.
set -euo pipefail
bid='.event_type == "bid"'
dedup --by bidder,auction --keep last --time date_time --max-ahead off --where "$bid" \
  | parallel-map "select($bid) | {auction, bidder, price, channel, url, date_time, extra}"
