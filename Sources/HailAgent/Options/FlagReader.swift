/// Reads the flags of `run`: `--name VALUE` or `--name=VALUE`.
enum FlagReader {
    /// The texts of every flag that is given, in order, by the option's name.
    static func read(_ arguments: [String]) throws(OptionError) -> [String: [String]] {
        var texts: [String: [String]] = [:]
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            guard argument.hasPrefix("-"), argument != "-" else { throw .unexpectedArgument(argument) }
            let halves = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let flag = String(halves[0])
            guard flag.hasPrefix("--"), let option = RunOption.named(String(flag.dropFirst(2))), !option.isFileOnly
            else { throw .unknownFlag(flag) }
            let text: String
            if halves.count == 2 {
                text = String(halves[1])
            } else if option.shape == .toggle {
                text = "yes"
            } else if let next = rest.popFirst(), !next.hasPrefix("--") {
                text = next
            } else {
                throw .missingValue(flag: flag)
            }
            guard option.shape == .repeated || texts[option.name] == nil else { throw .repeatedFlag(flag) }
            texts[option.name, default: []].append(text)
        }
        return texts
    }
}
