#!/usr/bin/env bash
# Builds the library for the three processors of Android and the Kotlin that goes with it, where Gradle looks for them.
#
#   build-library.sh [--without-audit] [--without-excel]
#
# The library is smaller without the audit, for phones that hand bags over and judge none, and without the readers of Excel
# files, for phones that get their forms from base camp.
# Needs rustup, the Android NDK (28 or newer, ANDROID_NDK_HOME) and cargo-ndk 4.1.2. Not run where there is no NDK: there,
# mobile-check/run.sh checks the types for Android, and the library for this machine goes through the same gate.
set -euo pipefail
features='audit excel'
for asked in "$@"; do
  case $asked in
    --without-audit) features=${features/audit/} ;;
    --without-excel) features=${features/excel/} ;;
    *) sed -n '2,9s/^# \{0,1\}//p' "$0" >&2; exit 64 ;;
  esac
done
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/../.."
command -v cargo-ndk >/dev/null || { echo "cargo-ndk is absent: cargo install --locked cargo-ndk --version 4.1.2" >&2; exit 69; }

# 26 as in aar/build.gradle.kts.
readonly min_sdk=26
out=$here/build/rust
rm -rf "$out"
rustup target add aarch64-linux-android armv7-linux-androideabi x86_64-linux-android
slim_system=android
. mobile-bindings/slim.sh
# Not stripped: the generator reads the symbols, and Gradle strips what it packs and keeps them for crash reports.
cargo ndk -t arm64-v8a -t armeabi-v7a -t x86_64 --platform "$min_sdk" -o "$out/jniLibs" \
  rustc --locked -p merestone-ffi --lib --profile mobile --crate-type cdylib --no-default-features --features "$features" -- "${slim_link_args[@]}"
cargo run --locked --quiet -p merestone-bindgen -- generate "$out/jniLibs/arm64-v8a/libmerestone_ffi.so" \
  --language kotlin --out "$out/kotlin"
# Gradle takes the façade of the audit only where there is one.
case $features in *audit*) touch "$out/with-audit" ;; esac
cargo run --locked --quiet -p merestone-bindgen -- check "$out"/jniLibs/*/libmerestone_ffi.so
