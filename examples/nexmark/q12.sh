#!/usr/bin/env bash
# Q12: how many bids each bidder makes in ten seconds by the clock of this machine, so each run has windows of its own.
# The counts of a bidder add up to the same always.
set -euo pipefail

filter '.event_type == "bid"' |
    window --size 10s --processing-time |
    aggregate --by bidder bid_count=count |
    parallel-map -j 1 '{bidder, bid_count}'
