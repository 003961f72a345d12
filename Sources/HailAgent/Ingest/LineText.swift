import HailCore

/// Where the lines of a text end, without looking into them.
enum LineText {
    /// The end of the piece of a body that begins at `start`: as many whole lines as a scan takes, or one line
    /// that is too long for any.
    static func cut(_ text: UnsafeBufferPointer<UInt8>, from start: Int) -> Int {
        let most = start + LineBuffer.textBytes
        guard most < text.count else { return text.count }
        if let newline = text[start..<most].lastIndex(of: UInt8(ascii: "\n")) { return newline + 1 }
        return (text[most...].firstIndex(of: UInt8(ascii: "\n")) ?? text.count - 1) + 1
    }

    static func lineCount(of text: UnsafeBufferPointer<UInt8>) -> UInt64 {
        var count: UInt64 = 0
        for line in text.split(separator: UInt8(ascii: "\n")) where Array(line) != [UInt8(ascii: "\r")] { count += 1 }
        return count
    }
}
