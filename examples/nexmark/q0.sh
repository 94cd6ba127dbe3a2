#!/usr/bin/env bash
# Q0, pass through: what reading and writing costs. All bids.
set -euo pipefail
parallel-map 'select(.event_type == "bid") | {auction, bidder, price, date_time, extra}'
