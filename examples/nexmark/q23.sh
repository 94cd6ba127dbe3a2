#!/usr/bin/env bash
# Bids of people who sell, with who they are and what they sell: each bid meets all auctions of its bidder. The first join
# puts sellers and their auctions together and lets bids pass; they are the left lines of the second.
set -euo pipefail
stream-join --left '.event_type == "person"' --right '.event_type == "auction"' --on id=seller --unique left \
  --left-fields person_id=id,name,email_address,credit_card,city,state,person_extra=extra --right-fields \
item_name,description,initial_bid,reserve,auction_date_time=date_time,expires,seller,category,auction_extra=extra \
| stream-join --left '.event_type == "bid"' --right 'has("person_id")' --on bidder=seller --others drop --memory 256MiB \
  --left-fields bidder,price,channel,url,bid_extra=extra --right-fields "$(echo person_id name email_address credit_card \
city state person_extra item_name description initial_bid reserve auction_date_time expires seller category auction_extra |
tr ' ' ,)"
