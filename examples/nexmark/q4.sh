#!/usr/bin/env bash
# What is paid in each category? Bids meet the auction that was open at their time; watermarks say which auctions are over, and
# lines may be twenty seconds late. The highest bid of each auction, then the average of those by category, without its fraction.
set -euo pipefail
watermark --time date_time --lateness 20s \
  | stream-join --left '.event_type == "bid"' --right '.event_type == "auction"' --on auction=id \
    --time date_time --between right:date_time..expires --left-fields price --right-fields id,category --others drop \
  | aggregate --by id,category final=max:price \
  | aggregate --by category final=avg:final \
  | parallel-map '{id: .category, final: (.final | floor)}'
