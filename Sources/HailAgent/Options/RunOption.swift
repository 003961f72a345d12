import HailStore

/// One option of `run`: the table of them drives parsing, the help text and the documentation's test.
package struct RunOption: Sendable {
    /// How many values an option takes.
    package enum Shape: Sendable {
        case one
        /// Comma-separated, or a list in the file.
        case list
        /// As `list`, and the flag may stand more than once.
        case repeated
        /// A flag without a value; `yes` or `no` in the environment, true or false in the file.
        case toggle
        /// A list of lists, in the file only.
        case listOfLists
    }

    /// The flag without its dashes, and the file's key.
    package let name: String
    /// How help names the value: `SECONDS`.
    package let valueName: String
    package let shape: Shape
    /// The default as a user would write it; nil where the option is off unless it is given.
    package let standard: String?
    package let meaning: String
    /// Completes the sentence "allowed: …".
    package let allowed: String
    package let isFileOnly: Bool
    package let change: OptionChange
    /// Whether two sets of options agree about this one.
    let isSame: @Sendable (AgentOptions, AgentOptions) -> Bool
    /// Takes its value over from other options.
    let copy: @Sendable (_ source: AgentOptions, _ target: inout AgentOptions) -> Void
    let apply: @Sendable (GivenOption, inout AgentOptions) throws(Refusal) -> Void

    init(
        _ name: String, _ valueName: String,
        _ place: any WritableKeyPath<AgentOptions, some Equatable & SendableMetatype> & Sendable,
        shape: Shape = .one, standard: String? = nil, isFileOnly: Bool = false, change: OptionChange = .restart,
        meaning: String, allowed: String,
        apply: @escaping @Sendable (GivenOption, inout AgentOptions) throws(Refusal) -> Void
    ) {
        self.name = name
        self.valueName = valueName
        self.shape = shape
        self.standard = standard
        self.isFileOnly = isFileOnly
        self.meaning = meaning
        self.allowed = allowed
        self.change = change
        isSame = { $0[keyPath: place] == $1[keyPath: place] }
        copy = { source, target in
            target[keyPath: place] = source[keyPath: place]
            target.given[name] = source.given[name]
        }
        self.apply = apply
    }

    /// The environment variable of an option: `max-series` is `HAILWHALE_MAX_SERIES`.
    package static func variable(of name: String) -> String {
        "HAILWHALE_" + String(name.map { $0 == "-" ? "_" : $0 }).uppercased()
    }

    static func named(_ name: String) -> RunOption? { all.first { $0.name == name } }

    /// The value as it was given or by default, as a log may show it.
    func shown(in options: AgentOptions) -> String {
        guard let texts = (options.given[name] ?? standardValue)?.texts else { return "none" }
        let text = texts.joined(separator: shape == .listOfLists ? ";" : ",")
        return name == "store" ? StoreURL.withoutPassword(text) : text
    }

    /// The default as if it had been given.
    var standardValue: GivenOption? {
        standard.map { GivenOption(texts: items(of: [$0]), source: .standard) }
    }

    /// The values in the texts of a flag or a variable: lists are taken apart at commas, an empty one has no item.
    func items(of texts: [String]) -> [String] {
        switch shape {
        case .one, .toggle, .listOfLists: return texts
        case .list, .repeated:
            if shape == .list, texts == [""] { return [] }
            return texts.flatMap { text in
                text.split(separator: ",", omittingEmptySubsequences: false).map { RunOption.trimmed($0) }
            }
        }
    }

    private static func trimmed(_ text: Substring) -> String {
        var text = text
        while text.first == " " { text.removeFirst() }
        while text.last == " " { text.removeLast() }
        return String(text)
    }
}
