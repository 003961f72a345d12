import HailCore

/// The system's time zones: files of the zone database under one folder, each read once.
///
/// A newer database holds from the next start on.
final class ZoneFolder: Sendable {
    /// Reads a file, or says why it cannot be read.
    typealias FileReader = @Sendable (_ path: String) throws(SystemError) -> [UInt8]

    /// Where Debian's tzdata puts them; `TZDIR` names another folder.
    static let standardPath = "/usr/share/zoneinfo"
    /// Zones that are remembered; past it they are forgotten all at once.
    private static let cacheLimit = 64
    /// Folders that hold other tables of the same zones: these count leap seconds, or are copies.
    private static let otherTables: Set<Substring> = ["posix", "right"]

    let path: String
    private let readFile: FileReader
    private let known = Current<[String: ZoneRules]>([:])

    init(
        _ path: String,
        readFile: @escaping FileReader = { path throws(SystemError) in
            try BlockingIO.readFile(path, limitBytes: ZoneFile.limitBytes)
        }
    ) {
        self.path = path
        self.readFile = readFile
    }

    /// The folder that a process's environment names.
    static func path(in environment: [String: String]) -> String {
        let path = environment["TZDIR"] ?? ""
        return path.isEmpty ? standardPath : path
    }

    /// Whether a text can be the name of a zone: `America/Argentina/Buenos_Aires`, `EST5EDT`, `Etc/GMT+5`.
    static func isName(_ text: String) -> Bool {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        return text.utf8.count <= 64 && parts.count <= 4 && !otherTables.contains(parts[0])
            && parts.allSatisfy { part in
                part.utf8.first.map { isLetter($0) } ?? false
                    && part.utf8.allSatisfy { byte in
                        isLetter(byte) || (0x30...0x39).contains(byte) || "_-+".utf8.contains(byte)
                    }
            }
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }

    /// The rules of a zone by its name.
    func rules(_ name: String) throws(ZoneError) -> ZoneRules {
        guard ZoneFolder.isName(name) else { throw .unknown }
        if let rules = known.value[name] { return rules }
        let file = path + "/" + name
        let bytes: [UInt8]
        do throws(SystemError) { bytes = try readFile(file) } catch {
            // Is it this zone that there is none of, or are there none?
            do throws(SystemError) { _ = try readFile(path + "/UTC") } catch { throw .noZones(folder: path) }
            throw .unknown
        }
        guard let rules = ZoneFile.rules(name: name, in: bytes) else {
            throw .unreadable(path: file, reason: "is no time zone file (RFC 9636)")
        }
        if known.value.count >= ZoneFolder.cacheLimit { known.value = [:] }
        known.value[name] = rules
        return rules
    }
}
