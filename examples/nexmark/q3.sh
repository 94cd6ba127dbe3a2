#!/usr/bin/env bash
# Who sells in category 10, of three states? Auctions meet their seller, whichever comes first, and both are kept for ever,
# as in SQL: of a person what the result needs, of an auction its id. Nothing in the join looks at a bid twice.
set -euo pipefail
stream-join --left '.event_type == "person" and (.state == "OR" or .state == "ID" or .state == "CA")' \
  --right '.event_type == "auction" and .category == 10' --on id=seller \
  --left-fields name,city,state --right-fields id --others drop
