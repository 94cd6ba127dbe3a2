#!/bin/bash
# Requests and the slowest of them for each service in every minute, from topic to topic, for ever and exactly once.
#
# BROKERS says where; the state is in STATE_DIRECTORY, which systemd makes. Late and bad lines go to the topic slow-1m-rejected.
set -euo pipefail

# At a stop all processes get SIGTERM at once: this shell has to outlive them.
trap : TERM

kafka-cat-in -b "$BROKERS" -t requests -G slow-1m --exactly-once --state "${STATE_DIRECTORY:?}" --interval "${INTERVAL:-1s}" \
  | window --size 1m --lateness 5s --late reject --as minutes \
  | aggregate --by service requests=count slowest=max:ms --as totals \
  | kafka-cat-out -b "$BROKERS" -t slow-1m --key service --exactly-once --dead-letter slow-1m-rejected
