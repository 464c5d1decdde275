#!/usr/bin/env bash
# Prints what the crossing costs through Kotlin on this machine: opening, calls, a photo, memory while syncing.
#
#   figures.sh LIB_DIR GENERATED_DIR BIN_DIR
#
# As test.sh, but LIB_DIR should hold the library in the profile that phones get:
#   cargo build --profile mobile -p merestone-ffi        (target/mobile)
# Takes some minutes. Not a test: nothing fails for being slow.
set -euo pipefail
[ $# -eq 3 ] || { sed -n '2,8s/^# \{0,1\}//p' "$0" >&2; exit 64; }
MERESTONE_MVN="test -pl library -am -Dtest=Figures -Dsurefire.failIfNoSpecifiedTests=false -Djunit.jupiter.execution.timeout.mode=disabled" "$(dirname "$0")/test.sh" "$@" |
  grep -E '^(figure|saving|call|CPU|resident|its|the|new|opening|kotlin|SKIPPED|\[ERROR)'
