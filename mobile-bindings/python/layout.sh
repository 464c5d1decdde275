#!/usr/bin/env bash
# Lays the package out as the wheel does, without building one: generated code and library in a package of their own.
# Usage: mobile-bindings/python/layout.sh LIB_DIR GENERATED_DIR SITE     SITE is made anew, to be put on PYTHONPATH
#   LIB_DIR        holds libmerestone_ffi.so
#   GENERATED_DIR  holds merestone_ffi.py, written by merestone-bindgen
set -euo pipefail
lib=$(cd "$1" && pwd) generated=$(cd "$2" && pwd) site=$3
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
rm -rf "$site" && mkdir -p "$site"
cp -r "$here/src/merestone" "$site/merestone" && rm -rf "$site/merestone/merestone_ffi"
mkdir "$site/merestone/merestone_ffi"
cp "$generated/merestone_ffi.py" "$site/merestone/merestone_ffi/"
echo 'from .merestone_ffi import *  # noqa: F403' >"$site/merestone/merestone_ffi/__init__.py"
ln -s "$lib/libmerestone_ffi.so" "$site/merestone/merestone_ffi/"
