import HailCore
import HailSeal
import Testing

/// What `protocol/vectors/zones.json` publishes.
@Suite("Zone vectors")
struct ZoneVectorTests {
    struct Case: Decodable {
        let zone: String
        let widthSeconds: Int64
        let storedWidth: UInt32
        let keptSeconds: Int64
        let bucket: Int64
        let chunk: Int64
        let expires: Int64
    }

    @Test("say how the days of zones are kept")
    func vectors() throws {
        let cases = try VectorFile.cases(of: "zones", as: Case.self)
        #expect(cases.count == 10)
        for item in cases {
            let days = Resolution(widthSeconds: item.widthSeconds, keptSeconds: item.keptSeconds)
            let rules = ZoneRules(name: item.zone, offsetSeconds: -3_600)
            let kept = try #require(days.days(in: rules, digester: NameDigest.blake2b))
            #expect(kept.storedWidth == item.storedWidth)
            #expect(kept.chunk(ofBucket: item.bucket) == item.chunk)
            #expect(kept.expirySeconds(ofChunk: item.chunk) == item.expires)
            // Its last day ends an hour after UTC's, and nothing goes before it was kept long enough.
            let end = kept.startSeconds(ofBucket: (item.chunk + 1) * Resolution.bucketsPerChunk)
            #expect(item.expires >= end + item.keptSeconds)
        }
    }
}
