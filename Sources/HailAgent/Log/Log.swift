import Glibc

/// The agent's log: one `key=value` line per event, `level` and `msg` first.
///
/// No time is written: the journal, the container's log and `ts` stamp lines as they read them.
package struct Log: Sendable {
    package typealias Fields = KeyValuePairs<String, any CustomStringConvertible>

    /// The longest value, in bytes; what is longer is cut and ends in `…`.
    package static let valueLimitBytes = 1_024

    private let threshold: LogThreshold
    private let write: @Sendable ([UInt8]) -> Void

    /// - Parameter write: takes one whole line with its LF; called on the queue that logs.
    package init(level: LogLevel, write: @escaping @Sendable ([UInt8]) -> Void = Log.standardError) {
        threshold = LogThreshold(level)
        self.write = write
    }

    /// How much it says; a change holds for every copy.
    package var level: LogLevel {
        get { threshold.level }
        nonmutating set { threshold.level = newValue }
    }

    package func error(_ message: String, _ fields: Fields = [:]) { log(.error, message, fields) }
    package func warning(_ message: String, _ fields: Fields = [:]) { log(.warning, message, fields) }
    package func info(_ message: String, _ fields: Fields = [:]) { log(.info, message, fields) }
    package func debug(_ message: String, _ fields: Fields = [:]) { log(.debug, message, fields) }

    private func log(_ level: LogLevel, _ message: String, _ fields: Fields) {
        guard level <= self.level else { return }
        write(Log.line(level, message, fields))
    }

    /// The line of an event, LF included.
    static func line(_ level: LogLevel, _ message: String, _ fields: Fields) -> [UInt8] {
        var text = "level=\(level.rawValue) msg=\(value(message))"
        for (key, field) in fields { text += " \(name(key))=\(value(field.description))" }
        return Array((text + "\n").utf8)
    }

    /// A key as it may stand in a line: what could end it is replaced by `_`.
    private static func name(_ key: String) -> String {
        let scalars = key.unicodeScalars.map { isPlain($0) && $0 != "=" ? Character($0) : "_" }
        return scalars.isEmpty ? "_" : String(scalars)
    }

    /// A value as it stands in a line: bare where nothing in it could be taken for the line's own marks.
    private static func value(_ text: String) -> String {
        !text.isEmpty && text.utf8.count <= valueLimitBytes && text.unicodeScalars.allSatisfy(isPlain)
            ? text : quoted(text)
    }

    /// A text in double quotes on one line, however hostile: quotes, backslashes, everything that controls a
    /// terminal, breaks a line or turns the direction of writing is escaped, and it is cut at the limit.
    static func quoted(_ text: String) -> String {
        var out = "\""
        var count = 0
        for scalar in text.unicodeScalars {
            count += UTF8.width(scalar)
            guard count <= valueLimitBytes else {
                out += "…"
                break
            }
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\r": out += "\\r"
            case "\t": out += "\\t"
            default:
                if isVisible(scalar) {
                    out.unicodeScalars.append(scalar)
                } else {
                    out += "\\u{\(String(scalar.value, radix: 16))}"
                }
            }
        }
        return out + "\""
    }

    private static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "a"..."z", "A"..."Z", "0"..."9", "_", ".", "/", ":", "@", "%", "+", ",", "-", "[", "]": true
        default: false
        }
    }

    private static func isVisible(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate, .unassigned: false
        default: true
        }
    }

    /// Writes a line to stderr, in one piece where the kernel takes it so; what cannot be written is dropped.
    package static let standardError: @Sendable ([UInt8]) -> Void = { line in
        BlockingIO.writeAll(line, to: STDERR_FILENO)
    }
}
