#!/usr/bin/env bash
# Tests the Python package: types, style, an auditor's and an observer's story, the notebook, and the wheel.
# Usage: mobile-bindings/python/test.sh LIB_DIR GENERATED_DIR BIN_DIR
#   LIB_DIR        holds libmerestone_ffi.so
#   GENERATED_DIR  holds merestone_ffi.py, written by merestone-bindgen
#   BIN_DIR        holds merestone, merestone-audit and merestone-bindgen
# Exit code 77: nothing could be tested, and why is said.
set -euo pipefail
lib=$(cd "$1" && pwd) generated=$(cd "$2" && pwd) programs=$(cd "$3" && pwd)
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
work=${CARGO_TARGET_DIR:-$root/target}/tests-run/python
venv=$work/venv
export PYTHONDONTWRITEBYTECODE=1 PIP_DISABLE_PIP_VERSION_CHECK=1
mkdir -p "$work"

skip() { echo "SKIPPED: python: $*" | tee -a "${MERESTONE_SKIPS:-/dev/null}"; exit 77; }

python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))' || skip "no Python of version 3.10 or later"
{ [ -x "$venv/bin/python" ] || python3 -m venv "$venv"; } >"$work/venv.log" 2>&1 || { rm -rf "$venv"; skip "python3 -m venv failed: $work/venv.log"; }
echo "Installing what tests/requirements.txt names from PyPI into ${venv#"$root"/}"
"$venv/bin/python" -m pip install --quiet -r "$here/tests/requirements.txt" >"$work/pip.log" 2>&1 ||
  { tail -n 3 "$work/pip.log"; skip "packages from PyPI could not be installed"; }

site=$work/site
"$here/layout.sh" "$lib" "$generated" "$site"

echo "-- style and types"
(cd "$here" && "$venv/bin/ruff" check --quiet . && "$venv/bin/ruff" format --check --quiet .)
(cd "$here" && MYPYPATH="$site:tests" "$venv/bin/mypy" --config-file pyproject.toml --cache-dir "$work/mypy" "$site/merestone" tests)

echo "-- stories"
export MERESTONE_DEMO=${MERESTONE_DEMO:-${CARGO_TARGET_DIR:-$root/target}/tests-run/demo}
if [ ! -f "$MERESTONE_DEMO/report/report.json" ]; then
  export MERESTONE_DEMO=$work/demo
  [ -f "$MERESTONE_DEMO/report/report.json" ] || { rm -rf "$MERESTONE_DEMO" && "$programs/merestone" demo --out "$MERESTONE_DEMO" >"$work/demo.log"; }
fi
(cd "$here" && MERESTONE_BIN=$programs MERESTONE_PICTURES=$work/pictures PYTHONPATH=$site \
  "$venv/bin/python" -m pytest -q -p no:cacheprovider tests)

echo "-- wheel"
"$here/wheel.sh" "$programs" "$work"
