// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

/// A Swift target of this package; `docs/architecture.md` draws which may import which.
func house(_ name: String, over dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

/// The tests of one target, in a folder of the target's name plus `Tests`.
func tests(of name: String, with dependencies: [Target.Dependency] = []) -> Target {
    .testTarget(
        name: name + "Tests", dependencies: [.target(name: name)] + dependencies,
        swiftSettings: strict)
}

/// What `make fuzz` builds, with instrumentation; other builds never see it.
let fuzzing: [Target] =
    Context.environment["HAILWHALE_FUZZ"] == nil
    ? []
    : [
        .systemLibrary(name: "CLibFuzzer", path: "Fuzz/CLibFuzzer"),
        .executableTarget(
            name: "hailfuzz",
            dependencies: [
                "CLibFuzzer", "CHiredis", "HailCore", "HailWire", "HailAggregate", "HailQuery", "HailSeal", "HailStore",
                "HailNet", "HailAgent", "HailClient",
            ], path: "Fuzz/HailFuzz", swiftSettings: strict),
    ]

let package = Package(
    name: "hailwhale",
    products: [
        .executable(name: "hailwhale", targets: ["hailwhale"]),
        .executable(name: "hailwhale-bench", targets: ["hailwhale-bench"]),
        .library(name: "HailClient", targets: ["HailClient"]),
    ],
    targets: [
        .executableTarget(name: "hailwhale", dependencies: ["HailAgent"], swiftSettings: strict),
        .executableTarget(name: "hailwhale-bench", dependencies: ["HailAgent", "CBench"], swiftSettings: strict),
        house(
            "HailAgent",
            over: [
                "HailCore", "HailWire", "HailAggregate", "HailQuery", "HailSeal", "HailStore",
                "HailNet",
            ]),
        house("HailWire", over: ["HailCore", "CBytes"]),
        house("HailAggregate", over: ["HailCore", "CBytes"]),
        house("HailQuery", over: ["HailCore"]),
        house("HailSeal", over: ["HailCore", "CSodium"]),
        house("HailStore", over: ["HailCore", "CHiredis", "CBytes"]),
        house("HailNet", over: ["HailCore", "CMicroHTTPD", "CIngest"]),
        house("HailClient", over: ["HailCore", "HailWire"]),
        house("HailCore"),
        .systemLibrary(name: "CHiredis"),
        .systemLibrary(name: "CSodium"),
        .systemLibrary(name: "CMicroHTTPD"),
        .target(name: "CIngest"),
        .target(name: "CBytes"),
        .target(name: "CBench"),
        tests(of: "HailCore"),
        tests(of: "HailWire", with: ["HailCore", "CBytes"]),
        tests(of: "HailAggregate", with: ["HailCore", "HailWire", "HailSeal", "HailStore"]),
        tests(of: "HailQuery", with: ["HailCore", "HailSeal", "HailStore", "HailWire"]),
        tests(of: "HailStore", with: ["HailCore", "HailSeal"]),
        tests(of: "HailNet", with: ["HailCore"]),
        tests(of: "HailClient", with: ["HailCore", "HailWire"]),
        tests(
            of: "HailAgent",
            with: ["HailCore", "HailAggregate", "HailNet", "HailQuery", "HailSeal", "HailStore", "HailWire"]),
        .testTarget(name: "HouseTests", swiftSettings: strict),
    ] + fuzzing
)
