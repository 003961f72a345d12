/// A name of a subject, a dimension or a metric: a text that is compared, hashed and ordered by its bytes.
///
/// `String` takes texts for equal that Unicode calls so, composed and decomposed letters for one; as names these are
/// two. Wherever names are keys, are told apart or are sorted, they are of this type.
package struct Name: Hashable, Comparable, Sendable, ExpressibleByStringLiteral {
    package let text: String

    package init(_ text: String) { self.text = text }

    package init(stringLiteral text: String) { self.text = text }

    /// The parts of a path, each as a name: the path as a key.
    package static func path(_ parts: [String]) -> [Name] { parts.map { Name($0) } }

    package static func == (left: Name, right: Name) -> Bool { left.text.utf8.elementsEqual(right.text.utf8) }

    package static func < (left: Name, right: Name) -> Bool {
        left.text.utf8.lexicographicallyPrecedes(right.text.utf8)
    }

    package func hash(into hasher: inout Hasher) {
        var text = text
        text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
        // No UTF-8 text holds it, so that the parts of a path do not run into each other.
        hasher.combine(0xFF as UInt8)
    }
}
