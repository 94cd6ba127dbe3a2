#!/bin/bash
# Requests per key in every ten seconds, from topic to topic, for ever and exactly once: run by requests-10s.service.
#
# BROKERS, FROM and TO say where; late and bad lines go to the topic TO-late. The state is in STATE_DIRECTORY, which systemd
# makes. UNTIL=end stops at the end of the topic, for a trial.
set -euo pipefail

# At a stop systemd sends SIGTERM to all processes at once. The source ends the stream then and the stages follow; this shell has
# to outlive them: once it is gone systemd sends a second SIGTERM, and that one kills.
trap : TERM

kafka-cat-in -b "$BROKERS" -t "$FROM" -G "$TO" --exactly-once --state "${STATE_DIRECTORY:?}" ${UNTIL:+--until "$UNTIL"} \
  | window --size 10s --lateness 2s --late reject --as windows \
  | aggregate --by key n=count total=sum:value p99:value --as totals \
  | kafka-cat-out -b "$BROKERS" -t "$TO" --create 1 --key key --exactly-once --dead-letter "$TO-late"
