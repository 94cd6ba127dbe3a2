generate --lines 2000 --keys 5 --out-of-order 2s > events.ndjson
