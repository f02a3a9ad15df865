#!/usr/bin/env bash
# Runs the browser tests against a built program: web/tests/run.sh path/to/carbongraph [playwright options]
# On Debian as root it installs what is missing; elsewhere it takes CHROMIUM, or a browser on PATH, or says what to do.
set -euo pipefail
export CARBONGRAPH_BIN="$(realpath "$1")"
shift
cd "$(dirname "$0")/.."

browser() { command -v chromium || command -v chromium-browser || command -v google-chrome; }
if [ -z "${CHROMIUM:-}" ]; then
  if ! browser >/dev/null && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    (apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium) >/dev/null
  fi
  CHROMIUM="$(browser)" || { echo "browser tests need Chromium: install it, or set CHROMIUM to its path" >&2; exit 1; }
fi
export CHROMIUM

[ node_modules/.package-lock.json -nt package-lock.json ] || npm ci
npx --no-install playwright test "$@"
