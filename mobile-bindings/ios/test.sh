#!/usr/bin/env bash
# test.sh LIB_DIR GENERATED_DIR BIN_DIR: compiles the package on Linux and runs its tests against the real library.
#   LIB_DIR        has libmerestone_ffi.so
#   GENERATED_DIR  has MerestoneCrossing.swift and MerestoneCrossingFFI.h, as merestone-bindgen wrote them
#   BIN_DIR        has the programs `merestone` and `merestone-audit`
# More words go to `swift test`, for example `--filter StoryTests`.
# The compiler: `swift` (6.0 or newer) if it is on the path, else the one that swift-root.sh makes.
# MERESTONE_SWIFT_ROOT names the folder for that, MERESTONE_SHARED the external fixture set.
# What an app can call stands in surface/ and is compared; MERESTONE_WRITE_SURFACES=1 renews it (on Linux only).
# Ends with 77 where there is no compiler and none can be made; what is left out is also written to MERESTONE_SKIPS.
# Code for Apple's systems (Sources/Merestone/Apple) is not compiled by this: only a Mac does.
set -euo pipefail
here=$(realpath "$(dirname "$0")"); repo=$(realpath "$here/../..")
lib=$(realpath "$1"); generated=$(realpath "$2"); bin=$(realpath "$3"); shift 3
work=$(realpath -m "${CARGO_TARGET_DIR:-$repo/target}")/tests-run/swift
shared=$(realpath -m "${MERESTONE_SHARED:-$repo/../shared}")
root=${MERESTONE_SWIFT_ROOT:-$work/root}

skip() { echo "SKIPPED: $*" | tee -a "${MERESTONE_SKIPS:-/dev/null}"; }

stage() { # the package as an app gets it, with what is generated
  mkdir -p "$work/package/Sources"
  local part
  for part in Package.swift Sources/Merestone Sources/MerestoneScreens Sources/MerestoneCrossingFFI Tests; do
    # Times are kept, so that only what changed is compiled again.
    rm -rf "$work/package/${part:?}"; cp -a "$here/$part" "$work/package/$part"
  done
  # What the screens' tests read; on a Mac they find it where it is.
  cp -a "$here/../screens.tsv" "$work/package/"
  mkdir -p "$work/package/Sources/MerestoneCrossing"
  cp "$generated/MerestoneCrossingFFI.h" "$work/package/Sources/MerestoneCrossingFFI/"
  cmp -s "$generated/MerestoneCrossing.swift" "$work/package/Sources/MerestoneCrossing/MerestoneCrossing.swift" ||
    cp "$generated/MerestoneCrossing.swift" "$work/package/Sources/MerestoneCrossing/"
}

swift_test() { # runs where the compiler is
  export MERESTONE_BIN=$bin MERESTONE_SHARED=$shared LD_LIBRARY_PATH=$lib
  cd "$work/package"
  [ -n "${MERESTONE_FIGURES:-}" ] || set -- --skip 'MerestoneTests\.Figures' "$@"
  swift test --disable-swift-testing -Xlinker "-L$lib" "$@"
  has_surface || return 0
  local module triple
  triple=$(swiftc -print-target-info | sed -n 's/.*"unversionedTriple": "\(.*\)".*/\1/p')
  rm -rf .build/surface && mkdir .build/surface
  for module in Merestone MerestoneScreens; do
    swift symbolgraph-extract -module-name "$module" -target "$triple" -I .build/debug/Modules \
      -I Sources/MerestoneCrossingFFI -minimum-access-level public -skip-synthesized-members -output-dir .build/surface
  done
}

# On a Mac it has Apple's files too, and is another.
has_surface() { [ "$(uname)" = Linux ] && [ -z "${MERESTONE_FIGURES:-}" ]; }

compare_surface() {
  has_surface || return 0
  python3 "$here/check/surface.py" "$work/package/.build/surface" "$here"
}

stage
[ -d "$shared/fixtures" ] || skip "swift StoryTests: the external fixture set is absent; set MERESTONE_SHARED"
if command -v swift >/dev/null; then
  swift_test "$@"
  compare_surface
  exit
fi
if ! "$here/swift-root.sh" "$root"; then
  skip "swift: there is no Swift compiler here, and none could be made"
  exit 77
fi
export -f swift_test has_surface
export lib bin shared work
# What the tests need appears in the compiler's folder under the same names, for as long as they run.
unshare --mount bash -euo pipefail -c '
  root=$0
  mount --bind /proc "$root/proc"; mount --bind /dev "$root/dev"
  for seen in "$lib" "$bin" "$work/package" "$shared"; do
    [ -d "$seen" ] || continue
    mkdir -p "$root$seen"; mount --bind "$seen" "$root$seen"
  done
  exec chroot "$root" env HOME=/root PATH=/usr/bin:/bin TMPDIR=/tmp bash -euo pipefail -c "$(declare -f swift_test has_surface)
swift_test \"\$@\"" swift-test "$@"
' "$root" "$@"
compare_surface
