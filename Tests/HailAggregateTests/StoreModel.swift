import HailCore
import Testing

/// The store as `protocol/redis.md` describes it, in memory: applies batches and reads cells back, with nothing of
/// the writer's code but the names of keys.
struct StoreModel: Equatable {
    private(set) var fields: [[UInt8]: [[UInt8]: Int128]] = [:]
    private(set) var names: [[UInt8]: Set<[UInt8]>] = [:]
    private(set) var children: [[UInt8]: Set<[UInt8]>] = [:]
    private(set) var expiries: [[UInt8]: UInt64] = [:]
    private(set) var floats: [[UInt8]: [[UInt8]: Double]] = [:]
    private(set) var extremes: [[UInt8]: [[UInt8]: Int64]] = [:]
    private(set) var gauges: [[UInt8]: [[UInt8]: Gauge]] = [:]
    private(set) var members: [[UInt8]: Set<[UInt8]>] = [:]
    private var usedOnceIDs: [Shard: Set<Digest>] = [:]

    /// Applies a batch as it would come over the wire.
    mutating func apply(_ batch: Batch) throws {
        let batch = try #require(Batch(decoding: batch.encoded[...]))
        for group in batch.groups {
            if let condition = group.condition,
                !usedOnceIDs[batch.shard, default: []].insert(condition.onceID).inserted
            {
                continue
            }
            var move: Move?
            for entry in group.entries { try apply(entry, shard: batch.shard, &move) }
        }
    }

    struct Gauge: Equatable {
        var value: Double
        var millis: Int64
    }

    /// What the last move of a group found and left.
    private struct Move {
        let digest: Digest
        let found: Gauge?
        let left: Gauge
    }

    /// `FIELD DECIMAL`, cut at the last space.
    private static func halves(_ field: [UInt8]) throws -> (field: [UInt8], number: Double) {
        let space = try #require(field.lastIndex(of: 0x20))
        let number = try #require(Double(String(decoding: field[(space + 1)...], as: UTF8.self)))
        return (Array(field[..<space]), number)
    }

    private mutating func put(_ gauge: Gauge, _ field: [UInt8], _ key: [UInt8]) {
        if let held = gauges[key]?[field], (held.millis, held.value) > (gauge.millis, gauge.value) { return }
        gauges[key, default: [:]][field] = gauge
    }

    private mutating func applyGauge(
        _ item: BatchEntry.Item, of entry: BatchEntry, at key: [UInt8], _ move: inout Move?
    ) throws {
        switch entry.operation {
        case .last:
            let (field, number) = try StoreModel.halves(item.field)
            put(Gauge(value: number, millis: item.value), field, key)
        case .move:
            #expect(entry.items.count == 1 && entry.expirySeconds == 0 && entry.widthSeconds == 0)
            let (field, number) = try StoreModel.halves(item.field)
            let held = gauges[key]?[field]
            let sum = (((held?.value ?? 0) + number) * 1_000_000).rounded() / 1_000_000
            let left = Gauge(value: sum, millis: max(held?.millis ?? .min, item.value))
            gauges[key, default: [:]][field] = left
            move = Move(digest: entry.digest, found: held, left: left)
        default:
            let last = try #require(move)
            #expect(last.digest == entry.digest && !item.field.contains(0x20))
            if let held = gauges[key]?[item.field], held == last.found {
                gauges[key]?[item.field] = last.left
            } else {
                put(Gauge(value: last.left.value, millis: item.value), item.field, key)
            }
        }
    }

    private mutating func apply(_ entry: BatchEntry, shard: Shard, _ move: inout Move?) throws {
        let key = entry.key(shard: shard)
        expiries[key] = max(expiries[key] ?? 0, entry.expirySeconds)
        for item in entry.items {
            switch entry.operation {
            case .add: fields[key, default: [:]][item.field, default: 0] += Int128(item.value)
            case .name: names[key, default: []].insert(item.field)
            case .child: children[key, default: []].insert(item.field)
            case .addFloat:
                let (field, number) = try StoreModel.halves(item.field)
                floats[key, default: [:]][field, default: 0] += number
            case .least:
                extremes[key, default: [:]][item.field] = min(extremes[key]?[item.field] ?? .max, item.value)
            case .greatest:
                extremes[key, default: [:]][item.field] = max(extremes[key]?[item.field] ?? .min, item.value)
            case .last, .move, .moved: try applyGauge(item, of: entry, at: key, &move)
            case .distinct:
                #expect(item.field.count == 8)
                members[key, default: []].insert(item.field)
            }
        }
    }

    /// Where a cell of the store may lie.
    struct Place {
        let subject: Digest
        let cell: Digest
        let widthSeconds: Int64
        let chunk: Int64
        let offset: Int

        var shard: Shard { Shard(subject: subject) }

        func pageKey(_ page: UInt8) -> [UInt8] {
            StoreKey.chunk(
                letter: UInt8(ascii: "p"), shard: shard, digest: subject, widthSeconds: widthSeconds, chunk: chunk,
                page: page)
        }

        /// The fields that hold a part of the cell: whether it is of millionths, key, field.
        var fields: [(isMillionths: Bool, key: [UInt8], field: [UInt8])] {
            let strip = StoreKey.chunk(
                letter: UInt8(ascii: "c"), shard: shard, digest: cell, widthSeconds: widthSeconds, chunk: chunk)
            var head = (0..<8).map { cell[$0] }
            head[0] |= 0x80
            return [false, true].flatMap { isMillionths -> [(Bool, [UInt8], [UInt8])] in
                let low = UInt8(truncatingIfNeeded: offset)
                let high = UInt8(truncatingIfNeeded: offset >> 8) | (isMillionths ? 0x80 : 0)
                let pages = [0, 1 + cell[8] % 64].map { (isMillionths, pageKey($0), head + [high, low]) }
                return pages + [(isMillionths, strip, Array(String(offset + (isMillionths ? 1_000 : 0)).utf8))]
            }
        }
    }

    /// Takes a cell out: its sum in millionths, or nil where no field has any of it.
    mutating func take(_ place: Place) -> Int128? {
        var sum: Int128?
        for (isMillionths, key, field) in place.fields {
            guard let value = fields[key]?.removeValue(forKey: field) else { continue }
            sum = (sum ?? 0) + (isMillionths ? value : value * 1_000_000)
        }
        return sum
    }

    /// How many fields hold cells.
    var fieldCount: Int { fields.values.reduce(0) { $0 + $1.count } }

    /// Whether a name is in any page of a subject's chunk.
    func knows(_ name: [UInt8], at place: Place) -> Bool {
        (UInt8(0)...64).contains { names[place.pageKey($0)]?.contains(name) ?? false }
    }
}
