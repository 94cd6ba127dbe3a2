#!/usr/bin/env bash
# Q2, selection: the bids on some auctions.
# The auctions are those whose number is divisible by 123.
set -euo pipefail
parallel-map -j 1 'select(.event_type == "bid" and .auction % 123 == 0) | {auction, price}'
