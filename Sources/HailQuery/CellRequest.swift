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
        case sketch(cell: Int, bucket: Int64)
        case members(cell: Int, bucket: Int64)
        /// A quarter, 0…3, of a set.
        case distinct(cell: Int, bucket: Int64, quarter: Int)
    }

    /// What one field of a hash holds.
    enum Field: Sendable {
        case counter(cell: Int, offset: Int, isMillionths: Bool)
        case gauge(cell: Int, offset: Int)
        case timer(cell: Int, offset: Int, TimerComponent)
        case sketch(cell: Int, bucket: Int64, scale: Int)
        case name(KnownNames.Metric)
    }

    let place: CellPlace
    let content: Content
    /// The fields in the order asked; nil where the whole key is.
    var fields: [Field]?
}
