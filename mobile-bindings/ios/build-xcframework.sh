#!/usr/bin/env bash
# Builds MerestoneCrossingFFI.xcframework and the generated Swift that goes with it. macOS with Xcode and rustup only.
#
#   build-xcframework.sh        leaves the framework beside Package.swift, and a zip of it whose checksum is printed:
#                               both are for whoever publishes it, see Package.swift
#
# Devices, both simulators and macOS; SQLite is hidden in each, see hide-sqlite.sh.
# Not run where there is no Xcode: test-hiding.sh and the checks of the generated code are what is run there.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/../.."
[ "$(uname)" = Darwin ] || { echo "an XCFramework is made on macOS, by Xcode" >&2; exit 69; }

readonly name=MerestoneCrossingFFI
readonly targets=(aarch64-apple-ios aarch64-apple-ios-sim x86_64-apple-ios aarch64-apple-darwin)
# The least that Package.swift asks for.
export IPHONEOS_DEPLOYMENT_TARGET=16.0 MACOSX_DEPLOYMENT_TARGET=13.0
target=${CARGO_TARGET_DIR:-$PWD/target}
work=$target/xcframework

rm -rf "$work" && mkdir -p "$work/include" "$work/device" "$work/simulator" "$work/mac"
rustup target add "${targets[@]}"
slim_system=apple
. mobile-bindings/slim.sh
for of in "${targets[@]}"; do
  cargo rustc --locked -p merestone-ffi --lib --profile mobile --crate-type staticlib --target "$of"
done

cargo run --locked --quiet -p merestone-bindgen -- generate "$target/aarch64-apple-ios/mobile/libmerestone_ffi.a" \
  --language swift --out "$work/generated"
mkdir -p "$here/Sources/MerestoneCrossing"
mv "$work/generated/MerestoneCrossing.swift" "$here/Sources/MerestoneCrossing/"
mv "$work/generated/$name.h" "$work/include/"
# Clang finds it under exactly this name.
mv "$work/generated/$name.modulemap" "$work/include/module.modulemap"

hide() { "$here/hide-sqlite.sh" "$target/$1/mobile/libmerestone_ffi.a" "$work/$2" "$3"; }
hide aarch64-apple-ios device/libmerestone_ffi.a iphoneos
hide aarch64-apple-ios-sim simulator/arm.a iphonesimulator
hide x86_64-apple-ios simulator/intel.a iphonesimulator
hide aarch64-apple-darwin mac/libmerestone_ffi.a macosx
lipo -create "$work/simulator/arm.a" "$work/simulator/intel.a" -output "$work/simulator/libmerestone_ffi.a"
# Debug symbols of dependencies are no use to an app; what it links is stripped with it.
for of in device simulator mac; do xcrun strip -S -x "$work/$of/libmerestone_ffi.a"; done

rm -rf "$here/$name.xcframework" "$here/$name.xcframework.zip"
xcodebuild -create-xcframework \
  -library "$work/device/libmerestone_ffi.a" -headers "$work/include" \
  -library "$work/simulator/libmerestone_ffi.a" -headers "$work/include" \
  -library "$work/mac/libmerestone_ffi.a" -headers "$work/include" \
  -output "$here/$name.xcframework"
# The package carries it as a resource; the framework alone does so too.
cp "$here/Sources/Merestone/Resources/LICENCES.txt" "$here/$name.xcframework/"
ditto -c -k --keepParent "$here/$name.xcframework" "$here/$name.xcframework.zip"
swift package compute-checksum "$here/$name.xcframework.zip"
