#!/usr/bin/env bash
# How long calls from Python take. Prints a table; not part of the tests.
# Usage: mobile-bindings/python/figures.sh [LIB_DIR GENERATED_DIR BIN_DIR]    as test.sh, after which it can be called
# LIB_DIR should hold the library in the profile of the wheel: cargo build --profile wheel -p merestone-ffi (target/wheel)
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
lib=$(cd "${1:-$target/debug}" && pwd) generated=$(cd "${2:-$target/bindings/python}" && pwd)
programs=$(cd "${3:-$target/debug}" && pwd)
site=$(mktemp -d)
trap 'rm -rf "$site"' EXIT
"$here/layout.sh" "$lib" "$generated" "$site"
PYTHONPATH=$site:$here/tests MERESTONE_BIN=$programs "${PYTHON:-$target/tests-run/python/venv/bin/python}" "$here/figures.py"
