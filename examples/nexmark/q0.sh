#!/usr/bin/env bash
# Q0, pass through: what reading and writing costs. All bids.
# The fields are copied from the line as they stand.
set -euo pipefail
parallel-map -j 1 'select(.event_type == "bid") | {auction, bidder, price, date_time, extra}'
