#!/usr/bin/env bash
# Checks the types of everything a phone carries, as Android and iOS compile it, without NDK, Xcode or rustup targets.
# Debian's rustc-web and rust-web-src are a compiler and the standard library's source of one version; the C parts are
# compiled by Debian's arm64 gcc (Android) or not at all (iOS). Nothing is linked and nothing is run.
#
# Usage: mobile-bindings/mobile-check/run.sh [TARGET...]     default: aarch64-linux-android aarch64-apple-ios
# Exit:  0 checked, or nothing changed since it was; 77 a tool is absent, which is said; else an error.
set -euo pipefail
here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
cd "$here/../.."

readonly packages=(rustc-web cargo-web rust-web-src gcc-aarch64-linux-gnu libc6-dev-arm64-cross)
readonly crates=(core ffi)
target=${CARGO_TARGET_DIR:-$PWD/target}/mobile-check
targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=(aarch64-linux-android aarch64-apple-ios)

for package in "${packages[@]}"; do
  if ! dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed'; then
    echo "Debian package $package is absent: apt-get install ${packages[*]}"
    exit 77
  fi
done

# rustup's own compiler has no source of the standard library here; Debian's has.
export RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR=$target
# The cc crate asks Xcode where the SDK lies unless this says it.
export SDKROOT=$target/no-sdk/iPhoneOS.sdk IPHONEOS_DEPLOYMENT_TARGET=16.0
mkdir -p "$SDKROOT"

# Everything that decides the result: sources, manifests, the lock, the compiler, this script.
inputs() {
  rustc_version=$("$RUSTC" -V)
  echo "$rustc_version"
  find "${crates[@]}" Cargo.toml Cargo.lock "$here" -type f ! -path '*/tests/*' ! -path '*/target/*' -print0 |
    LC_ALL=C sort -z | xargs -0 sha256sum
}
now=$(inputs | sha256sum)

for of in "${targets[@]}"; do
  stamp=$target/$of.checked
  if [ "$(cat "$stamp" 2>/dev/null)" = "$now" ]; then echo "$of: nothing changed since it was checked"; continue; fi
  under=${of//-/_}
  export "CC_$under=aarch64-linux-gnu-gcc" "AR_$under=aarch64-linux-gnu-ar"
  case $of in *apple*) export "CC_$under=$here/fake-ios-cc" ;; esac
  # Debian's compiler may be older than what the workspace asks for; what it then cannot compile is an error below.
  /usr/bin/cargo check --quiet --locked --ignore-rust-version -p merestone-ffi --lib -Zbuild-std=std,panic_unwind --target "$of"
  echo "$now" >"$stamp"
  echo "$of: types are right"
done
