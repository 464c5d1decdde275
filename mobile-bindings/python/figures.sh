#!/usr/bin/env bash
# How long calls from Python take. Prints a table; not part of the tests.
# Usage: mobile-bindings/python/figures.sh [LIB_DIR GENERATED_DIR BIN_DIR]    as test.sh, after which it can be called
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
lib=$(cd "${1:-$target/debug}" && pwd) generated=$(cd "${2:-$target/bindings/python}" && pwd)
programs=$(cd "${3:-$target/debug}" && pwd)
site=$(mktemp -d)
trap 'rm -rf "$site"' EXIT
cp -r "$here/src/merestone" "$site/merestone" && rm -rf "$site/merestone/merestone_ffi" && mkdir "$site/merestone/merestone_ffi"
cp "$generated/merestone_ffi.py" "$site/merestone/merestone_ffi/"
echo 'from .merestone_ffi import *  # noqa: F403' >"$site/merestone/merestone_ffi/__init__.py"
ln -s "$lib/libmerestone_ffi.so" "$site/merestone/merestone_ffi/"
PYTHONPATH=$site:$here/tests MERESTONE_BIN=$programs "${PYTHON:-$target/tests-run/python/venv/bin/python}" "$here/figures.py"
