#!/usr/bin/env bash
# Q21, channel ids: four channels have one, the others have it in their URL.
# capture gives nothing where the URL has none, and then there is no row.
set -euo pipefail
parallel-map -j 1 'select(.event_type == "bid")
  | {apple: "0", google: "1", facebook: "2", baidu: "3"}[.channel | ascii_downcase] as $known
  | {auction, bidder, price, channel,
     channel_id: ($known // (.url | capture("(&|^)channel_id=(?<id>[^&]*)").id))}'
