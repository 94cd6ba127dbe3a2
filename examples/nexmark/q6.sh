#!/usr/bin/env bash
# Q6, average selling price by seller: of each winning bid (as Q9 finds them) and the ten before it of the same seller.
# Winning bids are put into the order of their time (and auction), which is known only at the end of a bounded input.
set -euo pipefail
watermark --time date_time --lateness 4s \
  | stream-join --left '.event_type == "auction"' --right '.event_type == "bid"' --on id=auction --time date_time \
    --between left:date_time..expires --others drop --plain \
    --left-fields id,seller --right-fields price,date_time \
  | top-n -n 1 --by id --order price:desc,date_time:asc \
  | reorder --time date_time --lateness 365d \
  | aggregate --by seller --last 11 avg_price=avg:price \
  | parallel-map -j 1 '{seller, avg_price: (.avg_price | floor)}'
