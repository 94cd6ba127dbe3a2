#!/usr/bin/env bash
# Nexmark Q0, pass-through: every bid, as it is.
# One filter and a new object; the fields are copied from the line.
set -euo pipefail
parallel-map -j 1 'select(.event_type == "bid") | {auction, bidder, price, date_time, extra}'
