import HailCore
import Testing

@Suite("Digest")
struct DigestTests {
    @Test(
        "is written as unpadded base64url",
        arguments: [
            (Digest(high: 0, low: 0), "AAAAAAAAAAAAAAAAAAAAAA"),
            (Digest(high: .max, low: .max), "_____________________w"),
            (Digest(high: 0x0001_0203_0405_0607, low: 0x0809_0A0B_0C0D_0E0F), "AAECAwQFBgcICQoLDA0ODw"),
            (Digest(high: 0xFBEF_BEFB_EFBE_FBEF, low: 0xBEFB_EFBE_FBEF_BEFB), "---------------------w"),
        ])
    func text(digest: Digest, text: String) {
        var bytes: [UInt8] = []
        digest.appendText(to: &bytes)
        #expect(String(decoding: bytes, as: UTF8.self) == text)
    }

    @Test("gives its bytes in order")
    func bytes() {
        let digest = Digest(high: 0x0001_0203_0405_0607, low: 0x0809_0A0B_0C0D_0E0F)
        #expect((0..<16).map { digest[$0] } == Array(0..<16))
    }
}

@Suite("Amount")
struct AmountTests {
    @Test(
        "is written as the shortest exact decimal",
        arguments: [
            (Int128(0), "0"), (1, "0.000001"), (-1, "-0.000001"), (12_000_000, "12"), (12_500_000, "12.5"),
            (-12_500_000, "-12.5"), (1_000_001, "1.000001"), (-999_999, "-0.999999"), (100_000, "0.1"),
            (9_000_000_000_000_000_000, "9000000000000"), (Int128.max, "170141183460469231731687303715884.105727"),
            (Int128.min, "-170141183460469231731687303715884.105728"),
        ])
    func description(micros: Int128, text: String) { #expect(Amount(micros: micros).description == text) }

    @Test(
        "joins the two sums that the store keeps",
        arguments: [
            (Int64(0), Int64(0), Int128(0)), (5, 250_000, 5_250_000), (-5, -250_000, -5_250_000),
            (5, -250_000, 4_750_000),
            (0, 7_000_000, 7_000_000), (.max, .max, Int128(Int64.max) * 1_000_001),
        ])
    func joined(whole: Int64, millionths: Int64, micros: Int128) {
        #expect(Amount(whole: whole, millionths: millionths).micros == micros)
    }

    @Test("parts have the sign of the whole", arguments: [Int128(5_250_000), -5_250_000, 1, -1, 0, 999_999])
    func parts(micros: Int128) {
        let amount = Amount(micros: micros)
        #expect(amount.whole * 1_000_000 + Int128(amount.millionths) == micros)
        #expect(amount.millionths == 0 || (amount.millionths < 0) == (micros < 0))
    }

    @Test("adds and takes away exactly where Double does not")
    func exact() {
        var sum = Amount.zero
        for _ in 0..<10 { sum += Amount(micros: 100_000) }
        #expect(sum == .one)
        #expect(sum - .one == .zero)
        #expect(Amount(micros: -1) < .zero)
        #expect(Amount(micros: 2_500_000).double == 2.5)
    }
}

@Suite("Resolution")
struct ResolutionTests {
    private static let minute = Resolution(widthSeconds: 60, keptSeconds: 86_400)

    @Test(
        "puts an instant into its bucket, chunk and place",
        arguments: [
            (Int64(0), Int64(0), Int64(0), 0), (59, 0, 0, 0), (60, 1, 0, 1), (21_599, 359, 0, 359), (21_600, 360, 1, 0),
            (-1, -1, -1, 359), (-60, -1, -1, 359), (-61, -2, -1, 358), (-21_601, -361, -2, 359),
        ])
    func places(seconds: Int64, bucket: Int64, chunk: Int64, offset: Int) {
        let minute = ResolutionTests.minute
        #expect(minute.bucket(at: seconds) == bucket)
        #expect(minute.chunk(ofBucket: bucket) == chunk)
        #expect(minute.offset(ofBucket: bucket) == offset)
        #expect(minute.startSeconds(ofBucket: bucket) <= seconds)
        #expect(minute.startSeconds(ofBucket: bucket + 1) > seconds)
    }

    @Test("keeps an event until its bucket has been over for as long as buckets are kept")
    func keeps() {
        let minute = ResolutionTests.minute
        #expect(minute.keeps(30, now: 60 + 86_399))
        #expect(!minute.keeps(30, now: 60 + 86_400))
        // The chunk expires only when its last bucket may go.
        #expect(minute.expirySeconds(ofChunk: 0) == 360 * 60 + 86_400)
    }

    @Test("the all-time total has one bucket, for ever", arguments: [Int64.min, -1, 0, 1_700_000_000, .max])
    func allTime(seconds: Int64) {
        #expect(Resolution.allTime.bucket(at: seconds) == 0)
        #expect(Resolution.allTime.expirySeconds(ofChunk: 0) == 0)
        #expect(Resolution.allTime.keeps(seconds, now: .max))
    }
}

@Suite("Ladder")
struct LadderTests {
    @Test(
        "reads spans in every unit and writes them in seconds",
        arguments: [
            (Ladder.standardText, "10s:3600s,60s:86400s,3600s:2678400s,86400s:63072000s"),
            ("1d:2y,1h:31d", "3600s:2678400s,86400s:63072000s"), ("5m:2w", "300s:1209600s"),
            ("1w:1mo", "604800s:2678400s"),
        ])
    func reads(text: String, canonical: String) throws {
        let ladder = try Ladder(parsing: text)
        #expect(ladder.text == canonical)
        #expect(try Ladder(parsing: ladder.text) == ladder)
        #expect(ladder.resolutions.last == .allTime)
    }

    @Test(
        "refuses what does not read or does not nest",
        arguments: [
            "", ",", "10s", "10s:", ":1h", "10s:1h,", "10s:1h:1d", "10:1h", "0s:1h", "10s:0h", "-1s:1h", "1.5m:1h",
            "10x:1h", "10s:1h,15s:1h", "10s:1h,10s:2h", "1h:1m", "400d:2y", "1d:999y", "99999999999999999999s:1d",
            "1s:1h,2s:1h,4s:1h,8s:1h,16s:1h,32s:1h,64s:1h,128s:1h,256s:1h", "١s:1h", " 10s:1h",
        ])
    func refuses(text: String) {
        #expect(throws: LadderError.self) { try Ladder(parsing: text) }
    }
}
