#!/usr/bin/env bash
# Q13, a bounded side input: bids with the value that a table has for their auction, modulo 10000.
# $1 is the table, a CSV; a header, if it has one, is a row that no bid wants.
set -euo pipefail
bid='.event_type == "bid"'
lookup --table "$1" --columns key,value --on '.auction % 10000 = key' --kind inner --where "$bid" \
  | parallel-map "select($bid) | {auction, bidder, price, date_time, value}"
