/// The drawing of the house in `docs/architecture.md`, as rules over source texts.
enum House {
    /// What the effect targets may use of the system.
    ///
    /// Foundation is not among it: it triples the binary.
    static let system: Set<String> = ["Dispatch", "Glibc", "Synchronization"]

    /// Which modules the files of a target may import; nil for a target that is not in the drawing.
    static func allowed(_ target: String) -> Set<String>? {
        switch target {
        case "hailwhale": ["HailAgent", "Glibc"]
        case "hailwhale-bench": ["HailAgent", "CBench", "Glibc"]
        case "HailAgent":
            system.union(["HailCore", "HailWire", "HailAggregate", "HailQuery", "HailSeal", "HailStore", "HailNet"])
        case "HailWire", "HailAggregate": ["HailCore", "CMath", "CBytes"]
        case "HailQuery": ["HailCore", "CMath"]
        case "HailSeal": system.union(["HailCore", "CSodium"])
        case "HailStore": system.union(["HailCore", "CHiredis", "CBytes"])
        case "HailNet": system.union(["HailCore", "CMicroHTTPD", "CIngest"])
        case "HailClient": system.union(["HailCore", "HailWire", "HailSeal"])
        case "HailCore": []
        default: nil
        }
    }

    /// Targets of C code or of a library's module map.
    static let foreign: Set<String> = ["CHiredis", "CSodium", "CMicroHTTPD", "CIngest", "CMath", "CBytes", "CBench"]

    /// C targets that several targets may import: they are no library, only functions that Swift lacks.
    static let shared: Set<String> = ["CMath", "CBytes"]

    static let pure: Set<String> = ["HailCore", "HailWire", "HailAggregate", "HailQuery"]

    static let vagueWords = ["Utils", "Util", "Common", "Helpers", "Helper", "Manager", "Extensions"]

    static let lineLimit = 400

    /// The modules that a source text imports, whatever stands before or after the word.
    static func imports(of source: String) -> [String] {
        code(of: source).compactMap { line in
            var words = line.split { $0 == " " || $0 == "\t" || $0 == ";" }.map(String.init)
            while let word = words.first, word.hasPrefix("@") || accessWords.contains(word) { words.removeFirst() }
            guard words.first == "import", words.count > 1 else { return nil }
            let name = declarationWords.contains(words[1]) && words.count > 2 ? words[2] : words[1]
            return name.split(separator: ".").first.map(String.init)
        }
    }

    /// Whether a source text declares something for users of the package.
    static func isPublic(_ source: String) -> Bool {
        code(of: source).contains { line in
            let words = line.split { !$0.isLetter && $0 != "(" && $0 != ")" }.map(String.init)
            return words.contains { $0 == "public" || $0.hasPrefix("public(set") }
                || zip(words, words.dropFirst()).contains { $0 == "open" && declarationWords.contains($1) }
        }
    }

    /// Clocks that the standard library brings without an import.
    static func readsClock(_ source: String) -> Bool {
        code(of: source).contains { line in
            ["ContinuousClock", "SuspendingClock", "clock_gettime", "gettimeofday"].contains { line.contains($0) }
        }
    }

    /// The vague words that the names of a text's types or of a path are made of.
    static func vagueNames(path: String, source: String) -> [String] {
        var names = path.split { $0 == "/" || $0 == "." }.map(String.init)
        for line in code(of: source) {
            let words = line.split { !$0.isLetter && !$0.isNumber && $0 != "_" }.map(String.init)
            for (word, name) in zip(words, words.dropFirst()) where typeWords.contains(word) { names.append(name) }
        }
        return names.filter { name in vagueWords.contains { name == $0 || name.hasSuffix($0) } }
    }

    private static let accessWords: Set<String> = [
        "public", "package", "internal", "fileprivate", "private", "open", "nonisolated",
    ]
    private static let typeWords: Set<String> = ["struct", "class", "enum", "protocol", "actor", "typealias"]
    private static let declarationWords: Set<String> = typeWords.union([
        "func", "var", "let", "init", "subscript", "static", "final", "override",
    ])

    /// The lines of a text without comments and without what string literals hold.
    private static func code(of source: String) -> [String] {
        var isComment = false
        return source.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            var out = ""
            var isText = false
            var rest = Array(line)[...]
            while let character = rest.popFirst() {
                let next = rest.first
                if isComment {
                    if character == "*", next == "/" {
                        isComment = false
                        rest.removeFirst()
                    }
                } else if isText {
                    if character == "\\" { _ = rest.popFirst() }
                    if character == "\"" { isText = false }
                } else if character == "\"" {
                    isText = true
                } else if character == "/", next == "/" {
                    break
                } else if character == "/", next == "*" {
                    isComment = true
                } else {
                    out.append(character)
                }
            }
            return out
        }
    }
}
