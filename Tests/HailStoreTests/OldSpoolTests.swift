import Dispatch
import Glibc
import HailCore
import HailSeal
import Testing

@testable import HailStore

@Suite("A spool of version 1 batches", .timeLimit(.minutes(1)))
struct OldSpoolTests {
    /// A case of `protocol/vectors/spool.json`; what it holds was written by an agent of that version.
    private struct Vector: Decodable {
        let name: String
        let hex: String
    }

    @Test("is read, and what it owes is brought to the store, each batch once")
    func delivered() throws {
        let vector = try #require(
            try VectorFile.cases(of: "spool", as: Vector.self).first { $0.name == "batches of version 1" })
        let image = try bytes(hex: vector.hex)
        let made = Int64(bitPattern: image[12..<20].reduce(0) { $0 << 8 | UInt64($1) })
        let (folder, store, journal) = (try TestFolder(), try TestStore(), Journal())
        try folder.write(image, to: "00000001.log")
        let spool = try Spool(folder: folder.path + "/", limitBytes: 1 << 20, nowSeconds: made + 10)
        let batches = spool.recovered.batches
        #expect(batches.map(\.header.isPlain).sorted { !$0 && $1 } == [false, true, true])
        for _ in 0..<2 {
            let writer = StoreWriter(
                connector: store.connector, agent: Sample.agent, spool: spool.reader,
                surroundings: StoreWriter.Surroundings(random: { 0 }, unixSeconds: { made + 10 }),
                report: { journal.note($0) })
            writer.start(recovered: batches)
            #expect(writer.drain(deadline: .now() + 20))
            writer.close()
        }
        // Sent as `plain.n:2.5|c`, `plain.n:4|c`, `mixed.n:7|c` and `mixed.t:8|ms`.
        #expect(try total(of: "n", .counter, at: "plain", in: store) == ["6", "500000"])
        #expect(try total(of: "n", .counter, at: "mixed", in: store) == ["7", nil])
    }

    /// The all-time total of a counter, as its page has it: the whole part and the millionths.
    private func total(of metric: String, _ kind: Kind, at subject: String, in store: TestStore) throws -> [String?] {
        let subjectDigest = NameDigest.blake2b(CellName.subjectBytes([subject]))
        let name = CellName(subject: [subject], group: [], metric: metric, kind: kind)
        let page = StoreKey.chunk(
            letter: StoreKey.Letter.page, shard: Shard(subject: subjectDigest), digest: subjectDigest, widthSeconds: 0,
            chunk: 0)
        return try [false, true].map { isMillionths in
            let field = PageField.cell(
                NameDigest.blake2b(name.canonicalBytes), offset: 0, isMillionths: isMillionths)
            return try store.run([Array("HGET".utf8), page, field]).text
        }
    }
}
