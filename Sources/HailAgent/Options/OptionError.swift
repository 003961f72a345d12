/// Where an option's value came from.
package enum OptionSource: Equatable, Sendable {
    case flag
    case environment
    /// The option's own default, refused because of another option.
    case standard
    case file(path: String)
}

/// Why the agent does not start with the options it was given; every case ends with exit code 64.
package enum OptionError: Error, Equatable {
    case unknownFlag(String)
    case unexpectedArgument(String)
    case missingValue(flag: String)
    case repeatedFlag(String)
    /// `allowed` completes the sentence "allowed: …".
    case wrongValue(option: String, source: OptionSource, value: String, allowed: String)
    case unreadableFile(path: String, reason: String)
    case malformedFile(path: String, reason: String)
    case unknownKey(String, path: String)
    case nothingToDo
}

extension OptionError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .unknownFlag(let flag):
            "unknown option \(Log.quoted(flag)); `hailwhale help run` lists them"
        case .unexpectedArgument(let argument):
            "unexpected argument \(Log.quoted(argument)): options begin with --"
        case .missingValue(let flag): "\(flag) needs a value"
        case .repeatedFlag(let flag): "\(flag) is given more than once"
        case .wrongValue(let option, .flag, let value, let allowed),
            .wrongValue(let option, .standard, let value, let allowed):
            "--\(option) \(Log.quoted(value)) is refused; allowed: \(allowed)"
        case .wrongValue(let option, .environment, let value, let allowed):
            "\(RunOption.variable(of: option))=\(Log.quoted(value)) is refused; allowed: \(allowed)"
        case .wrongValue(let option, .file(let path), let value, let allowed):
            "\(Log.quoted(option)): \(Log.quoted(value)) in \(Log.quoted(path)) is refused; allowed: \(allowed)"
        case .unreadableFile(let path, let reason):
            "--config \(Log.quoted(path)) cannot be read: \(reason); allowed: a file with a JSON object"
        case .malformedFile(let path, let reason):
            "--config \(Log.quoted(path)) is refused: \(reason); allowed: a JSON object whose keys are options of run"
        case .unknownKey(let key, let path):
            "unknown key \(Log.quoted(key)) in \(Log.quoted(path)); `hailwhale help run` lists them"
        case .nothingToDo:
            "--udp none with --http none leaves nothing to do; allowed: one of them"
        }
    }
}
