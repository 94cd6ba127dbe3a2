#!/usr/bin/env bash
# Bids with the auction they are for, of category 10. Either may come first, so bids without an auction are kept for ever, as
# in SQL, beyond 256 MiB on disk. An auction comes once: a bid that has found it is not kept.
set -euo pipefail
stream-join --left '.event_type == "bid"' --right '.event_type == "auction" and .category == 10' --on auction=id \
  --left-fields auction,bidder,price,channel,url,bid_date_time=date_time,bid_extra=extra --right-fields \
item_name,description,initial_bid,reserve,auction_date_time=date_time,expires,seller,category,auction_extra=extra \
  --others drop --unique right --memory 256MiB
