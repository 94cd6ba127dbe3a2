# The topics that examples in --help speak of.
generate --lines 2000 --keys 5 --event-rate 10/s | jq -c '. + {ticker: .key, at: .timestamp, tweets: (.value | floor)}' > lines.ndjson
for topic in tweets clicks; do
  kafka-cat-out -b localhost:9092 -t $topic --create 4 --key key < lines.ndjson
done
