import Testing

@testable import HailAgent

@Suite("UTC time")
struct UTCTimeTests {
    @Test(
        "is the Gregorian calendar's",
        arguments: [
            (Int64(0), "1970-01-01T00:00:00Z"), (-1, "1969-12-31T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00Z"),
            (4_107_542_399_000, "2100-02-28T23:59:59Z"), (4_107_542_400_000, "2100-03-01T00:00:00Z"),
            (-2_203_891_200_000, "1900-03-01T00:00:00Z"), (1_767_225_599_005, "2025-12-31T23:59:59.005Z"),
            (13_574_563_200_000, "2400-02-29T00:00:00Z"), (253_402_300_800_000, "10000-01-01T00:00:00Z"),
        ])
    func text(milliseconds: Int64, text: String) {
        #expect(UTCTime.text(milliseconds: milliseconds) == text)
    }
}
