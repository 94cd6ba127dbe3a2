#!/bin/bash
# Requests per key in every ten seconds, from topic to topic, for ever: run by requests-10s.service.
#
# BROKERS, FROM and TO say where. UNTIL=end stops at the end of the topic, for a trial.
set -euo pipefail

kafka-cat-in -b "$BROKERS" -t "$FROM" -G "$TO" --marks ${UNTIL:+--until "$UNTIL"} \
  | window --size 10s --lateness 2s \
  | aggregate --by key n=count total=sum:value p99:value \
  | kafka-cat-out -b "$BROKERS" -t "$TO" --create 1 --key key
