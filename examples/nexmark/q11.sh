#!/usr/bin/env bash
# Q11, user sessions: how many bids each bidder makes in a session, which ends after 10 s without one.
# The time is that of all events, so the others leave the pipe only when window has seen them.
set -euo pipefail
bid='.event_type == "bid"'
window --session 10s --by bidder --time date_time --lateness 4s --max-ahead off --where "$bid" \
  | filter "$bid" \
  | aggregate --by bidder bid_count=count \
  | parallel-map '{bidder, bid_count, starttime: .window_start, endtime: .window_end}'
