#!/usr/bin/env bash
# check.sh LIB_DIR GENERATED_DIR: what can be said of the package without a Swift compiler, in less than a minute.
#   LIB_DIR        has libmerestone_ffi.so
#   GENERATED_DIR  has MerestoneCrossing.swift and MerestoneCrossingFFI.h
# `test.sh` compiles and runs it.
set -euo pipefail
here=$(realpath "$(dirname "$0")"); repo=$(realpath "$here/../..")
lib=$(realpath "$1"); generated=$(realpath "$2")
venv=${CARGO_TARGET_DIR:-$repo/target}/tests-run/swift/venv
if [ ! -x "$venv/bin/python" ]; then
  python3 -m venv "$venv"
  "$venv/bin/pip" install -q --disable-pip-version-check -r "$here/check/requirements.txt"
fi
"$venv/bin/python" -m unittest discover -q -s "$here/check"
"$venv/bin/python" "$here/check/swift_check.py" "$here" "$generated" "$lib/libmerestone_ffi.so"
"$venv/bin/python" "$here/check/reach_check.py" "$here/surface.txt" "$here/Sources/Merestone/Crossing"
"$venv/bin/python" "$here/check/phrases_check.py" "$here/Sources/MerestoneScreens" \
  "$here/../android/screens/src/main/kotlin/org/merestone/screens" "$repo/ffi/src/interview.rs"
"$venv/bin/python" "$here/check/start_check.py" "$here/Tests/MerestoneTests/StartTests.swift" "$here/../README.md"
