#!/usr/bin/env bash
# Q16: as Q15, by channel and day, with the last minute (HH:mm, the largest text) in which there was a bid.
# Keys and arguments may be jq expressions as well as fields; a key that is one has a name before it.
set -euo pipefail
low='.price < 10000' middle='.price >= 10000 and .price < 1000000' high='.price >= 1000000'

filter '.event_type == "bid"' |
    aggregate --distinct exact --by 'channel,day=.date_time[:10]' 'minute=max:.date_time[11:16]' \
        total_bids=count "rank1_bids=count?$low" "rank2_bids=count?$middle" "rank3_bids=count?$high" \
        total_bidders=distinct:bidder "rank1_bidders=distinct:bidder?$low" \
        "rank2_bidders=distinct:bidder?$middle" "rank3_bidders=distinct:bidder?$high" \
        total_auctions=distinct:auction "rank1_auctions=distinct:auction?$low" \
        "rank2_auctions=distinct:auction?$middle" "rank3_auctions=distinct:auction?$high"
