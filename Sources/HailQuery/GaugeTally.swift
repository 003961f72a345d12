import HailCore

/// The newest value of a gauge, and when it was.
struct GaugeTally: Tally {
    private(set) var value: Quantity
    /// Unix milliseconds of its event.
    private(set) var milliseconds: Int64

    static let zero = GaugeTally(value: .zero, milliseconds: .min)

    init(value: Quantity, milliseconds: Int64) {
        self.value = value
        self.milliseconds = milliseconds
    }

    /// Reads a cell: a decimal, a space, milliseconds; nil for anything else.
    init?(stored bytes: some Collection<UInt8>) {
        let parts = String(decoding: bytes, as: UTF8.self).split(separator: " ", omittingEmptySubsequences: false)
        guard parts.count == 2, let milliseconds = Int64(parts[1]), let value = GaugeTally.number(String(parts[0]))
        else { return nil }
        self.init(value: value, milliseconds: milliseconds)
    }

    private static func number(_ text: String) -> Quantity? {
        if let exact = Quantity(decimal: text) { return exact }
        guard let number = Double(text), number.isFinite else { return nil }
        return Quantity(approximately: number)
    }

    /// Keeps the newer; of two from the same millisecond the larger, so that the order of merging does not matter.
    mutating func merge(_ other: GaugeTally) {
        let isNewer =
            other.milliseconds == milliseconds
            ? other.value.double > value.double : other.milliseconds > milliseconds
        if isNewer { self = other }
    }
}
