#!/usr/bin/env bash
# Prints the totals of a subject: totals.sh PK [METRICS [PERIODS]]
# HAILWHALE_URL names the agent.
set -euo pipefail

[[ $# -gt 0 ]] || { echo "usage: totals.sh PK [METRICS [PERIODS]]" >&2; exit 64; }
curl --silent --show-error --fail-with-body --get "${HAILWHALE_URL:-http://127.0.0.1:8085}/totals" \
    --data-urlencode "pk=$1" --data-urlencode "metrics=${2:-hits}" --data-urlencode "periods=${3:-1m:1h}"
echo
