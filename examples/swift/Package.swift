// swift-tools-version: 6.2
import PackageDescription

// A program of your own names the package by its URL instead of a path.
let package = Package(
    name: "shop",
    dependencies: [.package(name: "hailwhale", path: "../..")],
    targets: [
        .executableTarget(name: "shop", dependencies: [.product(name: "HailClient", package: "hailwhale")]),
        .executableTarget(name: "report", dependencies: [.product(name: "HailClient", package: "hailwhale")]),
    ]
)
