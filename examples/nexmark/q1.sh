#!/usr/bin/env bash
# Q1, currency conversion: every bid with its price in euros.
# --decimal: 0.908 times the price is exact, as SQL's DECIMAL is; a double would not be.
set -euo pipefail
parallel-map -j 1 --decimal 'select(.event_type == "bid") | {auction, bidder, price: (.price * 0.908), date_time, extra}'
