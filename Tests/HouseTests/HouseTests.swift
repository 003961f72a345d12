import Testing

@Suite("House")
struct HouseTests {
    private static let files = Result { try SourceFile.all(endingIn: ".swift") }

    private func files() throws -> [SourceFile] {
        let files = try Self.files.get()
        try #require(files.count > 20)
        return files
    }

    @Test("keeps to the arrows of its drawing")
    func arrows() throws {
        for file in try files() {
            let allowed = try #require(House.allowed(file.target), "\(file.path): the drawing has no \(file.target)")
            for module in House.imports(of: file.text) {
                #expect(allowed.contains(module), "\(file.path) imports \(module)")
            }
        }
    }

    @Test("lets one target import each C library")
    func foreign() throws {
        var importers: [String: Set<String>] = [:]
        for file in try files() {
            for module in House.imports(of: file.text) where House.foreign.subtracting(House.shared).contains(module) {
                importers[module, default: []].insert(file.target)
            }
        }
        for (module, targets) in importers { #expect(targets.count == 1, "\(module): \(targets.sorted())") }
    }

    @Test("has pure targets that read no clock")
    func clocks() throws {
        for file in try files() where House.pure.contains(file.target) {
            #expect(!House.readsClock(file.text), "\(file.path)")
        }
    }

    @Test("is public in HailClient alone")
    func access() throws {
        for file in try files() where file.target != "HailClient" {
            #expect(!House.isPublic(file.text), "\(file.path)")
        }
    }

    @Test("has short files with names of their own")
    func shape() throws {
        for file in try files() + SourceFile.all(endingIn: ".c") {
            let lineCount = file.text.split(separator: "\n", omittingEmptySubsequences: false).count - 1
            #expect(lineCount <= House.lineLimit, "\(file.path) has \(lineCount) lines")
            let vague = House.vagueNames(path: file.path, source: file.text)
            #expect(vague.isEmpty, "\(file.path): \(vague)")
        }
    }

    @Test(
        "sees imports however they are written",
        arguments: [
            ("import Glibc", ["Glibc"]), ("package import HailCore", ["HailCore"]),
            ("  import  Dispatch;", ["Dispatch"]),
            ("@testable import HailAgent", ["HailAgent"]), ("@preconcurrency internal import CHiredis", ["CHiredis"]),
            ("import struct Foundation.Data", ["Foundation"]), ("import Foundation.NSData", ["Foundation"]),
            ("#if canImport(Glibc)\nimport Glibc\n#endif", ["Glibc"]), ("// import Glibc", []),
            ("let a = 1 // import B", []),
            ("/* import A\nimport B */\nimport C", ["C"]), ("let text = \"import A\"", []), ("important()", []),
        ] as [(String, [String])])
    func imports(source: String, modules: [String]) {
        #expect(House.imports(of: source) == modules)
    }

    @Test(
        "sees what is public",
        arguments: [
            ("public struct A {}", true), ("  public static let a = 1", true), ("public(set) var a = 1", true),
            ("package public(set) var a", true), ("open class A {}", true), ("public import Glibc", true),
            ("package struct A {}", false), ("let descriptor = open(path, O_RDONLY)", false),
            ("// public struct", false),
            ("let word = \"public\"", false), ("var isPublic = true", false), ("case open", false),
        ])
    func publicWords(source: String, isPublic: Bool) {
        #expect(House.isPublic(source) == isPublic)
    }

    @Test(
        "sees vague names",
        arguments: [
            ("HailNet/Utils/A.swift", "", 1), ("HailNet/StringExtensions.swift", "", 1),
            ("HailNet/A.swift", "package final class SocketManager {}", 1), ("HailNet/A.swift", "enum Helpers {}", 1),
            ("HailNet/Socket.swift", "struct Socket {} // Manager", 0), ("HailNet/Commons.swift", "enum Utility {}", 0),
        ])
    func vague(path: String, source: String, count: Int) {
        #expect(House.vagueNames(path: path, source: source).count == count)
    }

    @Test(
        "forbids the arrows that are not drawn",
        arguments: [
            ("HailCore", "Glibc"), ("HailWire", "Dispatch"), ("HailQuery", "HailStore"), ("HailAggregate", "HailWire"),
            ("HailStore", "HailNet"), ("HailNet", "HailQuery"), ("HailNet", "CHiredis"), ("HailAgent", "CHiredis"),
            ("HailAgent", "Foundation"), ("hailwhale", "HailStore"), ("HailSeal", "HailWire"),
            ("HailWire", "FoundationEssentials"),
        ])
    func forbidden(target: String, module: String) {
        #expect(House.allowed(target)?.contains(module) == false)
        #expect(House.allowed("Attic") == nil)
    }

    @Test(
        "sees clocks",
        arguments: [("ContinuousClock.now", true), ("// ContinuousClock", false), ("let clock = now", false)])
    func clockWords(source: String, reads: Bool) {
        #expect(House.readsClock(source) == reads)
    }
}
