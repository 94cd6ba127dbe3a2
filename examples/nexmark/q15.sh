#!/usr/bin/env bash
# Q15: how many bids, bidders and auctions there are each day, in all and by price (below 10,000, below 1,000,000, the rest).
# What stands behind a question mark is the condition of that result; all of them are worked out in one pass over the line.
set -euo pipefail
low='.price < 10000' middle='.price >= 10000 and .price < 1000000' high='.price >= 1000000'

filter '.event_type == "bid"' |
    aggregate --distinct exact --by 'day=.date_time[:10]' \
        total_bids=count "rank1_bids=count?$low" "rank2_bids=count?$middle" "rank3_bids=count?$high" \
        total_bidders=distinct:bidder "rank1_bidders=distinct:bidder?$low" \
        "rank2_bidders=distinct:bidder?$middle" "rank3_bidders=distinct:bidder?$high" \
        total_auctions=distinct:auction "rank1_auctions=distinct:auction?$low" \
        "rank2_auctions=distinct:auction?$middle" "rank3_auctions=distinct:auction?$high"
