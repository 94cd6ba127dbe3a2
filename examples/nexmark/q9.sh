#!/usr/bin/env bash
# The winning bid of each auction: the highest of those that came while it was open, and of equal ones the first. The join
# gives pairs of a bid and its auction, which may be twenty seconds late; top-n keeps the best of each auction.
set -euo pipefail
watermark --time date_time --lateness 20s \
  | stream-join --left '.event_type == "auction"' --right '.event_type == "bid"' --on id=auction \
    --time date_time --between left:date_time..expires --others drop \
    --left-fields id,item_name,description,initial_bid,reserve,date_time,expires,seller,category,extra \
    --right-fields auction,bidder,price,bid_date_time=date_time,bid_extra=extra \
  | top-n -n 1 --by id --order price:desc,bid_date_time:asc
