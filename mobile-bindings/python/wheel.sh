#!/usr/bin/env bash
# Builds the wheel in the dev profile, installs it into a clean environment, and judges a bag with it.
# Usage: mobile-bindings/python/wheel.sh PROGRAMS WORK     WORK/venv holds maturin; MERESTONE_DEMO a demonstration
set -euo pipefail
programs=$(cd "$1" && pwd) work=$(cd "$2" && pwd)
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
# The target folder and profile of everything else. The crossing asked for alone takes fewer features of some crates, so
# these are built a second time.
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$root/target} MERESTONE_BINDGEN=$programs/merestone-bindgen

rm -rf "$work/wheels" "$work/clean"
(cd "$here" && PATH=$here/bin:$work/venv/bin:$PATH maturin build --quiet --locked --profile dev --out "$work/wheels") \
  >"$work/wheel.log" 2>&1 || { tail -n 20 "$work/wheel.log"; exit 1; }
python3 -m venv "$work/clean"
"$work/clean/bin/python" -m pip install --quiet --no-index "$work"/wheels/merestone-*.whl
demo=$MERESTONE_DEMO
mission=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["mission"])' "$demo/report/report.json")
"$work/clean/bin/python" - "$demo/bag" "$mission" <<'PY'
import sys
from importlib.metadata import files

import merestone

(licences,) = [file for file in files("merestone") or [] if file.name == "LICENCES.txt"]
assert "automerge " in licences.read_text(), "whose code is inside travels with it"
audit = merestone.audit(sys.argv[1], sys.argv[2])
entries = sum(1 for _ in audit.entries)
assert audit.verdict is merestone.Verdict.PASSED, audit
assert entries == audit.facts["counts"]["entries"] > 0
print(f"wheel of {merestone.__version__}: {audit.verdict}, {len(audit.records)} records, {entries} entries")
PY
