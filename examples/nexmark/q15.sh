#!/usr/bin/env bash
# Q15: how many bids, bidders and auctions there are each day, in all and by three ranges of price.
# Every result counts the lines that its filter selects; the filters and the day are worked out in one pass over the line.
set -euo pipefail
low='.price < 10000' middle='.price >= 10000 and .price < 1000000' high='.price >= 1000000'
jq-filter() { parallel-map -j 1 "$@"; }
parallel-map -j 1 'select(.event_type == "bid") | {day: .date_time[:10], auction, bidder, price}' |
    aggregate --distinct exact --by day total_bids=count \
        rank1_bids=count?"$low" rank2_bids=count?"$middle" rank3_bids=count?"$high"
