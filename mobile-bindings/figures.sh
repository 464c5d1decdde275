#!/usr/bin/env bash
# Figures of what a phone carries: how large the library is and what makes it so, how much of it a façade can call, and how
# far that reaches into a device. Takes minutes: the mobile profile optimises across all crates. Not part of tests/run.
#
#   mobile-bindings/figures.sh [--desk]
#
# The library is built for this machine, as a stand-in for the x86-64 one of Android: same sources, same profile, another
# C library. What is stripped is a copy.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
readonly bytes_max=$((6 * 1000 * 1000))
target=${CARGO_TARGET_DIR:-$PWD/target}
library=$target/mobile/libmerestone_ffi.so

# Without what desks need, as `android/build-library.sh --without-audit --without-excel` makes it; `--desk` measures the whole
# library, as build-library.sh makes it without being told otherwise.
features=(--no-default-features)
[ "${1:-}" != --desk ] || features=()
# What it says to C compilers is for this build alone.
(
  . mobile-bindings/slim.sh
  cargo rustc --locked --quiet -p merestone-ffi --lib --profile mobile --crate-type cdylib "${features[@]}" -- "${slim_link_args[@]}"
)
cargo build --locked --quiet -p merestone-bindgen
bindgen=$target/debug/merestone-bindgen

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
strip --strip-all -o "$work/stripped.so" "$library"
bytes=$(stat -c %s "$work/stripped.so")
echo "== size"
"$bindgen" check "$work/stripped.so"
judged=within
[ "$bytes" -le "$bytes_max" ] || judged=OVER
printf 'stripped %d bytes (%s MB), %s the limit of %s MB; in a package about %d bytes (gzip)\n' \
  "$bytes" "$(awk "BEGIN { printf \"%.2f\", $bytes / 1e6 }")" "$judged" "$((bytes_max / 1000000))" "$(gzip -9 -c "$work/stripped.so" | wc -c)"
size -A -d "$work/stripped.so" | awk '$2 > 50000 { printf "%10d  %s\n", $2, $1 }' | sort -rn

echo "== code by crate (of the symbols before stripping)"
nm --radix=d --print-size --demangle "$library" | awk '
  $3 ~ /^[tTwW]$/ {
    name = $0; sub(/^[^ ]+ [^ ]+ . /, "", name)
    bytes = $2
    if (match(name, /[a-z_][a-z_0-9]*(\[[0-9a-f]+\])?::/)) { of = substr(name, RSTART, RLENGTH); sub(/(\[.*)?::$/, "", of) }
    else if (name ~ /^(ring_core|bn_|x25519|aes_|sha|vpaes|gcm|p256|p384|limbs|LIMBS|chacha|ecp_)/) of = "ring (C and assembly)"
    else if (name ~ /^(ZSTD|HUF|FSE|HIST|ERR_|POOL|XXH)/) of = "zstd (C)"
    else if (name ~ /^(uniffi|ffi)_/) of = "merestone_ffi"
    else of = "SQLite and other C"
    sum[of] += bytes; all += bytes
  }
  END { for (of in sum) printf "%10d %5.1f %%  %s\n", sum[of], 100 * sum[of] / all, of; printf "%10d        in all\n", all }
' | sort -rn | head -n 26

echo "== what crosses between a façade and the library: lines of surface.txt"
for of in kotlin:android swift:ios python:python; do
  surface=mobile-bindings/${of#*:}/surface.txt
  printf '%-7s %4d types, %4d functions and methods, %4d fields and variants\n' "${of%:*}" \
    "$(awk '/^[a-z]/ && !/[(]/' "$surface" | wc -l)" \
    "$(grep -cE '^ *(companion |static |classmethod )?(suspend fun|fun|func|async def|def) ' "$surface")" \
    "$(grep -cE '^    ' "$surface" | awk -v calls="$(grep -cE '^    (companion |static |classmethod )?(suspend fun|fun|func|async def|def) ' "$surface")" '{ print $1 - calls }')"
done

echo "== how far it reaches: public functions of core/node (mobile-bindings/COVERAGE.tsv)"
awk -F'\t' '/^#/ { next } $2 == "crossing" { reached++; next } { why[$2]++ } END {
  printf "%4d called by the crossing\n", reached
  for (of in why) printf "%4d  %s\n", why[of], of }' mobile-bindings/COVERAGE.tsv | sort -rn
