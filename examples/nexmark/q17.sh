#!/usr/bin/env bash
# Q17: figures of each auction by day; the average is cut to a whole number, as SQL does with the average of whole numbers.
set -euo pipefail

filter '.event_type == "bid"' |
    aggregate --by 'auction,day=.date_time[:10]' total_bids=count \
        'rank1_bids=count?.price < 10000' 'rank2_bids=count?.price >= 10000 and .price < 1000000' \
        'rank3_bids=count?.price >= 1000000' \
        min_price=min:price max_price=max:price avg_price=avg:price sum_price=sum:price |
    parallel-map -j 1 '.avg_price |= trunc'
