#!/usr/bin/env bash
# Makes one object of a static library in which SQLite is nobody's business: its names bind inside and nowhere else.
#
#   hide-sqlite.sh IN.a OUT.a [SDK]        SDK: iphoneos, iphonesimulator or macosx; on macOS only
#
# An app links Apple's SQLite for itself. With two public `sqlite3_open` in one program, the linker takes one for both,
# and our store would be written by a SQLite that we did not choose.
set -euo pipefail
[ $# -ge 2 ] || { sed -n '2,7s/^# \{0,1\}//p' "$0" >&2; exit 64; }
in=$1 out=$2 sdk=${3:-}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
rm -f "$out"
something() { [ -s "$work/names" ] || { echo "$in holds no SQLite: nothing was hidden" >&2; exit 1; }; }

if [ "$(uname)" = Darwin ]; then
  nm -gjU "$in" 2>/dev/null | sed -n '/^_sqlite3/p' | sort -u >"$work/names"
  something
  xcrun -sdk "$sdk" ld -r -all_load -unexported_symbols_list "$work/names" "$in" -o "$work/one.o"
  libtool -static -o "$out" "$work/one.o"
  left=$(nm -gjU "$out" 2>/dev/null | grep -c '^_sqlite3' || true)
else
  nm --defined-only --extern-only "$in" 2>/dev/null | awk '$3 ~ /^sqlite3/ { print $3 }' | sort -u >"$work/names"
  something
  ld -r --whole-archive "$in" -o "$work/one.o"
  objcopy --localize-symbols="$work/names" "$work/one.o"
  ar rcs "$out" "$work/one.o"
  left=$(nm --defined-only --extern-only "$out" | grep -c ' sqlite3' || true)
fi
[ "$left" -eq 0 ] || { echo "$out still shows $left names of SQLite" >&2; exit 1; }
echo "$out: $(wc -l <"$work/names" | tr -d ' ') names of SQLite are hidden"
