import FoundationEssentials
import Testing

/// One file under `Sources`.
struct SourceFile: CustomTestStringConvertible {
    let target: String
    /// From `Sources` on.
    let path: String
    let text: String

    var testDescription: String { path }

    /// Every file of the package's sources with this ending.
    static func all(endingIn ending: String) throws -> [SourceFile] {
        let root = packagePath + "/Sources"
        return try FileManager.default.subpathsOfDirectory(atPath: root).sorted().compactMap { path in
            guard path.hasSuffix(ending), let target = path.split(separator: "/").first else { return nil }
            let data = try Data(contentsOf: URL(filePath: root + "/" + path))
            return SourceFile(target: String(target), path: path, text: String(decoding: data, as: UTF8.self))
        }
    }

    /// The folder that holds `Package.swift`.
    private static let packagePath = #filePath.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 }
}
