/// The tallies of one cell in one chunk, by offset: from the first that holds something to the last.
struct TallyRow<Content: Tally>: Sendable {
    private var first = 0
    private var contents: [Content?] = []

    var isEmpty: Bool { contents.isEmpty }

    /// The tally at an offset; reading it makes room for it.
    subscript(offset: Int) -> Content {
        mutating get {
            reach(offset)
            return contents[offset - first] ?? .zero
        }
        _modify {
            reach(offset)
            // Taken out meanwhile, so that it is changed where it lies and not in a copy.
            var content = contents[offset - first] ?? .zero
            contents[offset - first] = nil
            defer { contents[offset - first] = content }
            yield &content
        }
    }

    private mutating func reach(_ offset: Int) {
        if contents.isEmpty { first = offset }
        if offset < first {
            contents.insert(contentsOf: repeatElement(nil, count: first - offset), at: 0)
            first = offset
        }
        while contents.count <= offset - first { contents.append(nil) }
    }

    /// Visits what is there, by offset.
    func forEach(_ body: (Int, Content) -> Void) {
        for (index, content) in contents.enumerated() {
            if let content { body(first + index, content) }
        }
    }
}
