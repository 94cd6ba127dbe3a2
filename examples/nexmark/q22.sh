#!/usr/bin/env bash
# Q22, directories of a URL: the first three.
# https://host/a/b/c: split at "/", the pieces 3, 4 and 5, counted from 0.
set -euo pipefail
parallel-map -j 1 'select(.event_type == "bid") | (.url | split("/")) as $dir
  | {auction, bidder, price, channel, dir1: $dir[3], dir2: $dir[4], dir3: $dir[5]}'
