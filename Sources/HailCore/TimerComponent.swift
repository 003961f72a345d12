/// The numbers that make up a timer's cell, each a field of its own.
///
/// In a page they follow the cell's digest and offset; among strips each has a key of its own, whose page number is the
/// component's, with the bucket's offset as the field.
package enum TimerComponent: UInt8, CaseIterable, Sendable {
    /// Values counted, whole part: `add`.
    case count = 0
    /// Millionths of the count, where sample rates leave any: `add`.
    case countMillionths = 1
    /// Sum of the values, whole part: `add`.
    case sum = 2
    /// Millionths of the sum: `add`.
    case sumMillionths = 3
    /// The least value in millionths: `least`.
    case least = 4
    /// The greatest value in millionths: `greatest`.
    case greatest = 5
    /// Sum of the squares, a decimal: `addFloat`.
    case squares = 6
}
