#!/usr/bin/env bash
# Prints what the crossing costs through Swift on this machine: opening, calls, memory while syncing.
#
#   figures.sh LIB_DIR GENERATED_DIR BIN_DIR
#
# As test.sh, but LIB_DIR should hold the library in the profile that phones get:
#   cargo build --profile mobile -p merestone-ffi        (target/mobile)
# Swift is compiled optimised. Takes some minutes. Not a test: nothing fails for being slow.
set -euo pipefail
[ $# -eq 3 ] || { sed -n '2,8s/^# \{0,1\}//p' "$0" >&2; exit 64; }
MERESTONE_FIGURES=1 "$(dirname "$0")/test.sh" "$@" -c release -Xswiftc -enable-testing --filter 'MerestoneTests\.Figures' |
  grep -E '^(figure|saving|call|resident|its|the|opening|SKIPPED)|error:'
