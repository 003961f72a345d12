import FoundationEssentials
import HailCore
import Testing

@Suite("Batch")
struct BatchTests {
    struct Vector: Decodable {
        struct Condition: Decodable {
            let onceId: String
            let keptSeconds: UInt32
        }

        struct Entry: Decodable {
            let letter: String
            let digest: String
            let widthSeconds: UInt32
            let chunk: Int64
            let page: UInt8
            let expirySeconds: String
            let operation: String
            let mayBeNew: Bool
            let items: [[String]]
        }

        struct Group: Decodable {
            let condition: Condition?
            let entries: [Entry]
        }

        let name: String
        let hex: String
        let invalid: Bool?
        let version: UInt8?
        let shard: UInt8?
        let agent: String?
        let sequence: UInt64?
        let cellCount: UInt32?
        let covers: [String]?
        let groups: [Group]?

        func batch() throws -> Batch {
            Batch(
                shard: try Shard(#require(shard)), agent: try digest(#require(agent)),
                sequence: try #require(sequence), cellCount: try #require(cellCount),
                covers: try #require(covers).map { try #require(UInt64($0)) },
                groups: try #require(groups).map { group in
                    BatchGroup(
                        condition: try group.condition.map {
                            BatchGroup.Condition(onceID: try digest($0.onceId), keptSeconds: $0.keptSeconds)
                        },
                        entries: try group.entries.map(entry))
                })
        }

        private func entry(_ entry: Entry) throws -> BatchEntry {
            let operations: [String: BatchEntry.Operation] = [
                "add": .add, "add_float": .addFloat, "least": .least, "greatest": .greatest, "last": .last,
                "move": .move, "moved": .moved, "distinct": .distinct, "name": .name, "child": .child,
            ]
            return BatchEntry(
                letter: try #require(entry.letter.utf8.first), digest: try digest(entry.digest),
                widthSeconds: entry.widthSeconds, chunk: entry.chunk, page: entry.page,
                expirySeconds: try #require(UInt64(entry.expirySeconds)),
                operation: try #require(operations[entry.operation]), mayBeNew: entry.mayBeNew,
                items: try entry.items.map {
                    BatchEntry.Item(field: try bytes(hex: $0[0]), value: try #require(Int64($0[1])))
                })
        }

        private func digest(_ hex: String) throws -> Digest {
            var reader = ByteReader(try bytes(hex: hex)[...])
            let digest = reader.digest()
            return try #require(digest)
        }
    }

    @Test("is encoded and decoded as published")
    func vectors() throws {
        let cases = try VectorFile.cases(of: "batch", as: Vector.self)
        #expect(cases.count >= 19)
        for vector in cases {
            let encoded = try bytes(hex: vector.hex)
            guard vector.invalid != true else {
                #expect(Batch(decoding: encoded[...]) == nil, "\(vector.name)")
                continue
            }
            let batch = try vector.batch()
            if vector.version == nil { #expect(batch.encoded == encoded, "\(vector.name)") }
            #expect(Batch(decoding: encoded[...]) == batch, "\(vector.name)")
        }
    }

    @Test("survives encoding and decoding, whatever it holds", arguments: 0..<50)
    func roundTrip(seed: UInt64) {
        var random = SeededRandom(seed)
        let batch = random.batch()
        let encoded = batch.encoded
        #expect(Batch(decoding: encoded[...]) == batch)
        // Also where the bytes lie in the middle of others.
        #expect(Batch(decoding: ([9, 9] + encoded + [9])[2..<(2 + encoded.count)]) == batch)
    }

    @Test("decoding any bytes traps never, and takes only what encoding gives", arguments: 0..<50)
    func mutated(seed: UInt64) {
        var random = SeededRandom(seed)
        let encoded = random.batch().encoded
        for _ in 0..<200 {
            var bytes = encoded
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes[place] = [0, 1, 0x7F, 0xFF][Int.random(in: 0..<4, using: &random)]
                case 1: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                case 2: bytes.removeSubrange(place...)
                default: bytes.insert(UInt8.random(in: .min ... .max, using: &random), at: place)
                }
                if bytes.isEmpty { break }
            }
            // Of the older version, which is not written any more, it is enough that nothing traps.
            if let batch = Batch(decoding: bytes[...]), bytes[0] == Batch.version { #expect(batch.encoded == bytes) }
        }
    }
}

/// Numbers that are the same in every run.
struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    /// SplitMix64.
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    mutating func batch() -> Batch {
        Batch(
            shard: Shard(UInt8(truncatingIfNeeded: next())), agent: digest(), sequence: next(),
            cellCount: UInt32(truncatingIfNeeded: next()),
            covers: (0..<Int.random(in: 0...3, using: &self)).map { _ in next() },
            groups: (0..<Int.random(in: 0...3, using: &self)).map { _ in group() })
    }

    private mutating func digest() -> Digest { Digest(high: next(), low: next()) }

    private mutating func group() -> BatchGroup {
        let condition: BatchGroup.Condition? =
            Bool.random(using: &self)
            ? BatchGroup.Condition(onceID: digest(), keptSeconds: UInt32(truncatingIfNeeded: next())) : nil
        return BatchGroup(condition: condition, entries: (0..<Int.random(in: 0...3, using: &self)).map { _ in entry() })
    }

    private mutating func entry() -> BatchEntry {
        let operations: [BatchEntry.Operation] = [.add, .name, .child]
        return BatchEntry(
            letter: UInt8(truncatingIfNeeded: next()), digest: digest(),
            widthSeconds: UInt32(truncatingIfNeeded: next()),
            chunk: Int64(bitPattern: next()), page: UInt8(truncatingIfNeeded: next()), expirySeconds: next(),
            operation: operations[Int.random(in: 0..<3, using: &self)], mayBeNew: Bool.random(using: &self),
            items: (0..<Int.random(in: 0...4, using: &self)).map { _ in
                let field = (0..<Int.random(in: 0...12, using: &self)).map { _ in UInt8(truncatingIfNeeded: next()) }
                return BatchEntry.Item(field: field, value: Int64(bitPattern: next()))
            })
    }
}
