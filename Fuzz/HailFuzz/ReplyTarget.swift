import CHiredis
import HailCore
import HailQuery
import HailSeal
import HailWire

@testable import HailAgent
@testable import HailStore

/// What a store sends, through hiredis' own reader.
enum ReplyTarget {
    static func run(_ bytes: [UInt8]) {
        scan(bytes)
        // hiredis takes memory for as many elements as an array announces; the store is trusted with that.
        let words = bytes.split(separator: UInt8(ascii: "*"), omittingEmptySubsequences: false).dropFirst()
        guard words.allSatisfy({ word in word.prefix { (0x30...0x39).contains($0) }.count < 6 }) else { return }
        guard let reader = redisReaderCreate() else { return }
        defer { redisReaderFree(reader) }
        bytes.withUnsafeBytes { raw in
            _ = redisReaderFeed(reader, raw.bindMemory(to: CChar.self).baseAddress, raw.count)
        }
        var replies: [StoreReply] = []
        while replies.count < 64 {
            var raw: UnsafeMutableRawPointer?
            guard redisReaderGetReply(reader, &raw) == REDIS_OK, let raw else { break }
            replies.append(RedisConnection.reply(raw.assumingMemoryBound(to: redisReply.self)))
            freeReplyObject(raw)
        }
        guard !replies.isEmpty else { return }
        deliver(replies)
        for reply in replies { _ = try? StoreMeta.claim(reply) }
        read(replies.map(ReadReply.init))
    }

    /// The reader of reads: however a text is cut, it says the same of it.
    private static func scan(_ bytes: [UInt8]) {
        func replies(piece: Int) -> [StoreReply]? {
            var scanner = ReplyScanner(limitBytes: 1 << 20)
            var rest = bytes[...]
            while !rest.isEmpty {
                let part = rest.prefix(piece)
                rest = rest.dropFirst(piece)
                guard
                    let count = try? scanner.take({ room in
                        room.copyBytes(from: part)
                        return part.count
                    }), count == part.count
                else { return nil }
            }
            return scanner.replies
        }
        let whole = replies(piece: 60_000)
        claim(whole == replies(piece: 7), "replies that depend on how they were cut")
        if let whole, !whole.isEmpty { read(whole.map(ReadReply.init)) }
    }

    /// Answers to a shard's batches.
    private static func deliver(_ replies: [StoreReply]) {
        var delivery = ShardDelivery()
        for sequence in UInt64(3)...6 {
            let identity = BatchIdentity(agent: Digest(high: 1, low: 2), shard: Shard(7), sequence: sequence)
            delivery.enqueue(
                ShardDelivery.Item(
                    header: BatchHeader(
                        identity: identity, cellCount: 1, covers: [sequence], isPlain: sequence < 5), bytes: [1],
                    location: nil))
        }
        for (index, reply) in replies.enumerated() {
            if let number = reply.number {
                _ = delivery.observe(guardValue: UInt64(max(0, number)), nowSeconds: LineTarget.now)
            }
            guard delivery.nextPlain() != nil || delivery.nextCall() != nil else { continue }
            _ = delivery.receive(FlushReply(reply), nowSeconds: LineTarget.now + Int64(index))
            claim(delivery.retainedBytes >= 0 && delivery.retainedBytes <= 4, "\(delivery.retainedBytes) bytes held")
        }
    }

    /// Answers to a query, repeated for as many as it asked.
    private static func read(_ replies: [ReadReply]) {
        guard let ladder = SpoolTarget.ladder else { return }
        let metrics = ["hits", "a/b", "m:gauge", "t:p95", "t:mean", "t:max", "t:stddev", "s:set", "m:+", "m:last", "x"]
        let sketches = ladder.resolutions.filter { !$0.isAllTime }
        var queries: [any StoreQuery] = []
        func add(_ make: () throws -> any StoreQuery) { if let query = try? make() { queries.append(query) } }
        // One of each an input: reading them all is slow.
        let metric = metrics[(replies.count + (replies.first.map { "\($0)".utf8.count } ?? 0)) % metrics.count]
        do {
            let values: [String: JSONValue] = [
                "pk": .string("a"), "metrics": .string(metric), "periods": .string("all,1h:1d"),
                "period": .string("all"),
                "depth": .number("1"), "threshold": .number("0.1"),
            ]
            add {
                try TotalsQuery(
                    parameters: values, now: LineTarget.now, history: LadderHistory(ladder, sketches: sketches),
                    digester: NameDigest.blake2b)
            }
            add {
                try PlotpointsQuery(
                    parameters: values, now: LineTarget.now, history: LadderHistory(ladder, sketches: sketches),
                    digester: NameDigest.blake2b)
            }
        }
        add { try SubdimensionsQuery(parameters: ["recursive": .bool(true)], digester: NameDigest.blake2b) }
        add { try SubjectsQuery(parameters: [:], digester: NameDigest.blake2b) }
        add { try MetricsOfQuery(parameters: [:], digester: NameDigest.blake2b) }
        for query in queries { answer(query, replies) }
    }

    private static func answer(_ query: some StoreQuery, _ replies: [ReadReply]) {
        var query = query
        for round in 0..<3 {
            let all = query.commands.indices.map { replies[($0 + round) % replies.count] }
            do {
                guard let answer = try query.answer(all) else { continue }
                let text = JSONText.render(answer)
                // Names as the store has them; a NUL, which no agent writes, is JSON that the agent would not read.
                guard text.firstRange(of: Array(#"\u0000"#.utf8)) == nil else { return }
                claim((try? JSONText.parse(text)) != nil, "an answer that is no JSON")
            } catch {}
            return
        }
    }
}
