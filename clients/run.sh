#!/usr/bin/env bash
# Asks a built program by the clients that people use: clients/run.sh path/to/carbongraph [options of node --test]
set -euo pipefail
export CARBONGRAPH_BIN="$(realpath "$1")"
shift
cd "$(dirname "$0")"
[ node_modules/.package-lock.json -nt package-lock.json ] || npm ci
exec node --test "$@" tests/*.test.js
