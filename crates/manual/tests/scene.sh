# The files that examples in --help speak of. Each line has every field that some example asks for.
mkdir scene
generate --lines 2000 --keys 5 --event-rate 10/s \
  | jq -c '. + {user: .key, shop: .key, ticker: .key, sensor: .key, service: .key, currency: .key, site: .host, route: "clicks", at: .timestamp, time: .timestamp,
                price: .value, latency: .value, amount: .value, tweets: (.value | floor),
                meta: {at: .timestamp, site: .host}}' > scene/events.ndjson
for name in clicks log readings orders lines; do cp scene/events.ndjson scene/$name.ndjson; done
gzip -c scene/events.ndjson > scene/tweets.ndjson.gz
printf 'import sys\nfor line in sys.stdin: sys.stdout.write(line)\n' > scene/score.py
echo 'bootstrap.servers=localhost:9092' > scene/client.conf
printf '%s\n' id,plan,created user-0,free,2025 user-1,pro,2024 > scene/users.csv
printf '%s\n' '{"name":"host-0","zone":"a"}' '{"name":"host-1","zone":"b"}' > scene/hosts.ndjson
echo '{"type":"object","required":["key","value"],"properties":{"key":{"type":"string"},"value":{"type":"number"}}}' > scene/schema.json
jq -c '. + {cpu: .value, load: .value, p99: .value, window_start: .timestamp}' scene/events.ndjson | tee scene/metrics.ndjson > scene/p99.ndjson
printf '%s\n' 'title = "Shops"' 'x = "at"' 'by = "shop"' '[[panel]]' 'title = "Price"' 'line = "price,half=.price / 2"' '[[panel]]' 'table = ""' > scene/panels.toml
