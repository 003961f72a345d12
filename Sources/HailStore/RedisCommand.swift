import HailCore

/// A command in the store's own protocol (RESP 2): an array of byte strings.
package struct RedisCommand: Sendable {
    package private(set) var bytes: [UInt8] = []

    /// Starts a command of exactly `argumentCount` arguments, its name included.
    package init(argumentCount: Int, reservingBytes: Int = 0) {
        bytes.reserveCapacity(reservingBytes)
        appendLine(UInt8(ascii: "*"), argumentCount)
    }

    package init(_ arguments: [[UInt8]]) {
        self.init(argumentCount: arguments.count)
        for argument in arguments { append(argument) }
    }

    package init(_ words: String...) {
        self.init(words.map { Array($0.utf8) })
    }

    package mutating func append(_ argument: some Collection<UInt8>) {
        appendLine(UInt8(ascii: "$"), argument.count)
        bytes += argument
        bytes.append(UInt8(ascii: "\r"))
        bytes.append(UInt8(ascii: "\n"))
    }

    package mutating func append(_ number: Int64) {
        var text: [UInt8] = []
        StoreKey.appendDecimal(number, to: &text)
        append(text)
    }

    private mutating func appendLine(_ mark: UInt8, _ count: Int) {
        bytes.append(mark)
        StoreKey.appendDecimal(Int64(count), to: &bytes)
        bytes.append(UInt8(ascii: "\r"))
        bytes.append(UInt8(ascii: "\n"))
    }
}
