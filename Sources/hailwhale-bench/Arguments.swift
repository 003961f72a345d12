/// The words `name=value` behind a command.
struct Arguments {
    private var values: [String: String] = [:]
    private(set) var unknown: [String] = []

    init(_ words: some Sequence<String>, known: Set<String>) {
        for word in words {
            let pieces = word.split(separator: "=", maxSplits: 1).map(String.init)
            if pieces.count == 2, known.contains(pieces[0]) {
                values[pieces[0]] = pieces[1]
            } else {
                unknown.append(word)
            }
        }
    }

    /// A whole number above zero, or the standard one where it is missing or none.
    func number(_ name: String, _ standard: Int) -> Int { values[name].flatMap { Int($0) } ?? standard }

    func text(_ name: String, _ standard: String) -> String { values[name] ?? standard }
}
