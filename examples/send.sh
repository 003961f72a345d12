#!/usr/bin/env bash
# Sends lines, one argument each, in one datagram: send.sh 'Product.42:revenue=12.5|c' 'api.users.get:1|c'
# HAILWHALE_UDP_HOST and HAILWHALE_UDP_PORT name the agent. UDP does not say what arrives.
set -euo pipefail

[[ $# -gt 0 ]] || { echo "usage: send.sh LINE..." >&2; exit 64; }
text=$(printf '%s\n' "$@")
printf '%s' "$text" | dd bs=65507 iflag=fullblock status=none \
    > "/dev/udp/${HAILWHALE_UDP_HOST:-127.0.0.1}/${HAILWHALE_UDP_PORT:-8125}"
