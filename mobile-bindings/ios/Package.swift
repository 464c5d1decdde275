// swift-tools-version: 6.0
import Foundation
import PackageDescription

// What is written in Rust, as a C module of the name MerestoneCrossingFFI.
// Apple: a framework of static libraries that `build-xcframework.sh` puts beside this file. So the package can be added from
// a local checkout only, and not by its address: no release carries the framework, and the repository never does, because
// SwiftPM clones all of it. Whoever publishes one names its address and checksum here.
// Linux: the shared library; its folder is told with `-Xlinker -L`.
#if os(Linux)
    let rust: Target = .systemLibrary(name: "MerestoneCrossingFFI")
#else
    let rust: Target = .binaryTarget(name: "MerestoneCrossingFFI", path: "MerestoneCrossingFFI.xcframework")
#endif

// XCTest's classes are not Sendable on Linux, which Swift 6 mode asks of asynchronous tests.
let testSettings: [SwiftSetting] = [.swiftLanguageMode(.v5)]

let package = Package(
    name: "Merestone",
    platforms: [.iOS(.v16), .macOS(.v13)],
    products: [
        .library(name: "Merestone", targets: ["Merestone"]),
        .library(name: "MerestoneScreens", targets: ["MerestoneScreens"]),
    ],
    targets: [
        rust,
        .target(
            name: "MerestoneCrossing", dependencies: ["MerestoneCrossingFFI"],
            // Generated: it compiles in Swift 6 mode too, but would not with a foreign trait that is asynchronous.
            swiftSettings: [.swiftLanguageMode(.v5)]
        ),
        .target(
            name: "Merestone", dependencies: ["MerestoneCrossing"],
            // What Apple asks of a package, and whose code is inside.
            resources: [.copy("Resources/PrivacyInfo.xcprivacy"), .copy("Resources/LICENCES.txt")]
        ),
        .target(name: "MerestoneScreens", dependencies: ["Merestone"]),
        .testTarget(name: "MerestoneTests", dependencies: ["Merestone", "OtherProcess"], swiftSettings: testSettings),
        // What the tests kill.
        .executableTarget(name: "OtherProcess", dependencies: ["Merestone"], path: "Tests/OtherProcess"),
        .testTarget(
            name: "MerestoneScreensTests", dependencies: ["MerestoneScreens", "Merestone"], swiftSettings: testSettings),
    ]
)
