#!/usr/bin/env bash
# Who opened an auction in the ten seconds in which he registered? A semi-join by window writes each such person once.
# Windows come from all lines, so that time is that of the whole stream.
set -euo pipefail
window --size 10s --time date_time --lateness 4s \
  | stream-join --left '.event_type == "person"' --right '.event_type == "auction"' --on id=seller --window --kind semi \
    --left-fields id,name --others drop --plain \
  | parallel-map '{id, name, stime: .window_start}'
