import HailCore

/// The commands of plain batches, made straight from the batches' bytes.
struct PlainCommands: ~Copyable {
    /// What is wanted of the store.
    enum Purpose {
        /// Apply the batch.
        case apply
        /// Say the expiry of every key of a batch that the store has.
        case date
    }

    /// One command in it.
    struct Step {
        /// Where the command starts.
        let offset: UInt32
        /// The place of its entry's expiry if an answer of `added` says that the key may be new, against all that was
        /// known; else -1.
        let expiry: Int32
        let added: Int64
    }

    private var buffer = CommandBuffer()
    private(set) var steps: [Step] = []
    /// Of entries whose keys are thought to be there.
    private(set) var expiries: [UInt64] = []
    private var former: ChunkKey.Former?

    var bytes: UnsafeRawBufferPointer { buffer.bytes }

    mutating func removeAll() {
        buffer.truncate(to: 0)
        former = nil
        steps.removeAll(keepingCapacity: true)
        expiries.removeAll(keepingCapacity: true)
    }

    /// Sets a guard to the number of the last batch of its shard.
    mutating func addGuard(_ key: [UInt8], number: UInt64) {
        buffer.reserve(key.count + 120)
        note(expiry: -1, added: 0)
        buffer.append("*5\r\n$3\r\nSET\r\n")
        buffer.append(argument: key)
        buffer.append(argument: Int64(clamping: number))
        buffer.append("$2\r\nEX\r\n")
        buffer.append(argument: FlushScript.guardSeconds)
    }

    mutating func end() {
        buffer.reserve(20)
        buffer.append("*1\r\n$4\r\nEXEC\r\n")
    }

    /// Adds the commands of a batch.
    ///
    /// - Returns: false if the bytes are not those of a plain batch of the shard; then nothing was added.
    mutating func add(_ encoded: [UInt8], shard: Shard, _ purpose: Purpose, isEveryKeyDated: Bool) -> Bool {
        let first = (buffer.count, steps.count, expiries.count)
        if encoded.withUnsafeBytes({ write(RawReader($0), shard, purpose, isEveryKeyDated) }) { return true }
        buffer.truncate(to: first.0)
        former = nil
        steps.removeSubrange(first.1...)
        expiries.removeSubrange(first.2...)
        return false
    }

    private mutating func write(_ input: RawReader, _ shard: Shard, _ purpose: Purpose, _ isEveryKeyDated: Bool) -> Bool
    {
        var input = input
        guard let version = input.next(UInt8.self), version == Batch.version || version == Batch.versionWithoutMarks,
            input.next(UInt8.self) == shard.number, input.next(bytes: 28) != nil,
            let covers = input.next(UInt32.self), input.next(bytes: Int(covers) * 8) != nil,
            let groups = input.next(UInt16.self)
        else { return false }
        let prefix = StoreKey.prefix(of: shard)
        for _ in 0..<groups {
            guard input.next(UInt8.self) == 0, let entries = input.next(UInt32.self) else { return false }
            for _ in 0..<entries {
                guard
                    writeEntry(
                        &input, prefix, purpose, hasMarks: version == Batch.version, isDated: isEveryKeyDated)
                else { return false }
            }
        }
        return input.isAtEnd
    }

    private mutating func writeEntry(
        _ input: inout RawReader, _ prefix: [UInt8], _ purpose: Purpose, hasMarks: Bool, isDated: Bool
    ) -> Bool {
        guard let letter = input.next(UInt8.self), let high = input.next(UInt64.self),
            let low = input.next(UInt64.self),
            let width = input.next(UInt32.self), let chunk = input.next(UInt64.self), let page = input.next(UInt8.self),
            let expiry = input.next(UInt64.self), let code = input.next(UInt8.self),
            let operation = BatchEntry.Operation(rawValue: code), operation.isPlain,
            let mark = hasMarks ? input.next(UInt8.self) : 1, mark <= 1, let items = input.next(UInt32.self)
        else { return false }
        let key = ChunkKey(
            prefix: prefix, letter: letter, digest: Digest(high: high, low: low), width: width,
            chunk: Int64(bitPattern: chunk), page: page)
        let isDated = isDated || mark != 0 || operation == .name
        // An answer tells something only where a key has an expiry that is not said anyway.
        let expiryPlace: Int32 = expiry != 0 && !isDated ? Int32(expiries.count) : -1
        if expiryPlace >= 0 { expiries.append(expiry) }
        if purpose == .apply, operation == .name, items > 0 {
            // Names all hold the same, so one command says them; a key that is new answers with all of them.
            buffer.reserve(240)
            note(expiry: expiryPlace, added: Int64(items))
            buffer.appendLine(UInt8(ascii: "*"), 2 + 2 * Int(items))
            buffer.append("$4\r\nHSET\r\n")
            key.append(to: &buffer, &former)
        }
        var head: Range<Int>?
        for _ in 0..<items {
            guard let length = input.next(UInt16.self), let field = input.next(bytes: Int(length)),
                let bits = input.next(UInt64.self)
            else { return false }
            guard purpose == .apply else { continue }
            let value = Int64(bitPattern: bits)
            buffer.reserve(field.count + 240)
            if operation == .name {
                buffer.append(argument: field)
                buffer.append(argument: value)
                continue
            }
            note(expiry: expiryPlace, added: value)
            if let head {
                buffer.appendAgain(head)
            } else {
                let start = buffer.count
                buffer.append(operation == .child ? "*4\r\n$4\r\nZADD\r\n" : "*4\r\n$7\r\nHINCRBY\r\n")
                key.append(to: &buffer, &former)
                head = start..<buffer.count
            }
            if operation == .child {
                buffer.append("$1\r\n0\r\n")
                buffer.append(argument: field)
            } else {
                buffer.append(argument: field)
                buffer.append(argument: value)
            }
        }
        if expiry != 0, items > 0, isDated {
            buffer.reserve(240)
            note(expiry: -1, added: 0)
            buffer.append("*4\r\n$8\r\nEXPIREAT\r\n")
            key.append(to: &buffer, &former)
            PlainCommands.appendExpiry(expiry, to: &buffer)
        }
        return true
    }

    /// `NX`: what another agent said first stays, and a key that has its expiry costs the store no write.
    private static func appendExpiry(_ expiry: UInt64, to buffer: inout CommandBuffer) {
        buffer.append(argument: Int64(clamping: expiry))
        buffer.append("$2\r\nNX\r\n")
    }

    private mutating func note(expiry: Int32, added: Int64) {
        steps.append(Step(offset: UInt32(truncatingIfNeeded: buffer.count), expiry: expiry, added: added))
    }

    /// The words of the command at `place`, read back from its bytes.
    func words(of place: Int) -> [[UInt8]] {
        let bytes = buffer.bytes
        var at = Int(steps[place].offset)
        func number() -> Int {
            var value = 0
            at += 1
            while bytes[at] != UInt8(ascii: "\r") {
                value = value * 10 + Int(bytes[at] - UInt8(ascii: "0"))
                at += 1
            }
            at += 2
            return value
        }
        return (0..<number()).map { _ in
            let length = number()
            defer { at += length + 2 }
            return Array(bytes[at..<(at + length)])
        }
    }
}
