import HailCore

/// One key to read, and what its reply means.
struct CellRequest: Sendable {
    /// What a key holds.
    enum Content: Sendable {
        /// A page of the subject: cells and names.
        case page
        case counterStrip(cell: Int)
        case gaugeStrip(cell: Int)
        case timerStrip(cell: Int, TimerComponent)
        case sketch(cell: Int, offset: Int)
        case members(cell: Int, offset: Int)
        /// A quarter, 0…3, of a set.
        case distinct(cell: Int, offset: Int, quarter: Int)
    }

    /// What one field of a hash holds.
    enum Field: Sendable {
        case counter(cell: Int, offset: Int, isMillionths: Bool)
        case gauge(cell: Int, offset: Int)
        case timer(cell: Int, offset: Int, TimerComponent)
        case sketch(cell: Int, offset: Int, scale: Int)
        case name(KnownNames.Metric)
    }

    let place: CellPlace
    let content: Content
    /// The fields in the order asked; nil where the whole key is.
    var fields: [Field]?

    /// The offset that a field of a counter's strip stands for, and whether for the millionths; nil for none.
    static func counterOffset(_ field: UnsafeBufferPointer<UInt8>) -> (offset: Int, isMillionths: Bool)? {
        guard let number = StoredNumber.number(field), number >= 0, number < 2 * PageField.millionthsBase else {
            return nil
        }
        let isMillionths = number >= PageField.millionthsBase
        let offset = Int(number) - (isMillionths ? PageField.millionthsBase : 0)
        return offset < Int(Resolution.bucketsPerChunk) ? (offset, isMillionths) : nil
    }
}
