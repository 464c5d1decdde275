#!/usr/bin/env bash
# Holds hide-sqlite.sh to its word where there is no Xcode, with the linker that is there: a program with a SQLite of its
# own links our library, and each of the two reaches the SQLite it was built with.
#
#   test-hiding.sh        takes the SQLite that Cargo built under CARGO_TARGET_DIR
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
target=${CARGO_TARGET_DIR:-$here/../../target}
sqlite=$(find "$target/debug/build" -path '*/libsqlite3-sys-*/out/libsqlite3.a' -print -quit)
[ -n "$sqlite" ] || { echo "no libsqlite3.a under $target/debug/build: build the library first" >&2; exit 66; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# What stands for our library: a public function that asks the SQLite beside it.
cat >ours.c <<'C'
const char *sqlite3_libversion(void);
const char *crossing_store(void) { return sqlite3_libversion(); }
C
# What stands for the app and the SQLite that its system has.
cat >app.c <<'C'
#include <stdio.h>
const char *crossing_store(void);
const char *sqlite3_libversion(void) { return "the system's"; }
int main(void) { printf("%s|%s\n", sqlite3_libversion(), crossing_store()); }
C
cc -c ours.c app.c
cp "$sqlite" open.a && ar r open.a ours.o
bash "$here/hide-sqlite.sh" open.a hidden.a

cc app.o hidden.a -o app -lm -lpthread -ldl
said=$(./app)
case $said in
  "the system's|3."*) ;;
  *) echo "the app and the store share one SQLite: $said" >&2; exit 1 ;;
esac
# What goes wrong without it, so that this test is known to see it.
if cc app.o open.a -o mixed -lm -lpthread -ldl 2>link.log && [ "$(./mixed)" = "$said" ]; then
  echo "nothing needs to be hidden: this test shows nothing" >&2; exit 1
fi
if bash "$here/hide-sqlite.sh" hidden.a again.a 2>again.log; then echo "a library without SQLite was taken" >&2; exit 1; fi
grep -q 'nothing was hidden' again.log
echo "two SQLite in one program: the app has $said"
