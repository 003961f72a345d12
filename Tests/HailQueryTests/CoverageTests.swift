import HailCore
import HailQuery
import Testing

@Suite("Coverage")
struct CoverageTests {
    static let now = PeriodTests.now

    private func coverage(
        _ text: String, _ zone: String = "UTC", ladder: String = Ladder.standardText, cuts: Bool = false
    ) throws -> Coverage {
        try Coverage(
            Period(parsing: text), now: CoverageTests.now, zone: rules(zone),
            history: LadderHistory(Ladder(parsing: ladder)), cutsForeignDays: cuts)
    }

    @Test(
        "is read from the coarsest resolution that divides every boundary and keeps the start",
        arguments: [
            ("1m:1h", "UTC", Int64(60)), ("10s:1h", "UTC", 10), ("30s:30m", "UTC", 10), ("5m:1d", "UTC", 60),
            ("1h:1d", "UTC", 3_600), ("6h:1w", "UTC", 3_600), ("1d:1y", "UTC", 86_400), ("1mo:1y", "UTC", 86_400),
            ("1d:30d", "-0500", 3_600), ("today", "+0530", 60), ("1h:1d", "+0530", 3_600), ("all", "UTC", 0),
            ("yesterday", "UTC", 86_400), ("1/1/2026-1/31/2026", "UTC", 86_400),
        ])
    func resolution(text: String, zone: String, width: Int64) throws {
        let coverage = try coverage(text, zone)
        #expect(coverage.stretches.map(\.resolution.widthSeconds) == [width])
        #expect(coverage.truncatedBefore == nil)
        for span in coverage.spans where width > 0 {
            #expect(span.startSeconds % width == 0 && span.endSeconds % width == 0)
        }
    }

    @Test("is cut where nothing older is kept, and says so")
    func truncated() throws {
        let coverage = try coverage("1h:60d")
        let kept = CoverageTests.now - 31 * 86_400
        #expect(coverage.truncatedBefore == kept.floorDivided(by: 3_600) * 3_600)
        #expect(coverage.spans.first?.startSeconds == coverage.truncatedBefore)
        #expect(coverage.spans.count == 31 * 24 + 1)
        let old = try self.coverage("1/1/2020-1/31/2020")
        #expect(old.spans.isEmpty && old.bucketCount == 0 && old.chunks.isEmpty)
        #expect(old.truncatedBefore != nil)
    }

    @Test("of a range of instants is the finest that is kept, rounded outward to whole buckets")
    func range() throws {
        let now = CoverageTests.now
        let recent = try coverage("\(now - 125)-\(now - 1)")
        #expect(recent.stretches.map(\.resolution.widthSeconds) == [10])
        #expect(recent.spans.count == 13)
        #expect(try coverage("\(now - 7_200)-\(now)").stretches.map(\.resolution.widthSeconds) == [60])
        #expect(try coverage("\(now - 86_400 * 5)-\(now)").stretches.map(\.resolution.widthSeconds) == [3_600])
        let long = try coverage("1-\(now)")
        #expect(long.truncatedBefore == long.spans.first?.startSeconds)
        #expect(try coverage("1-2").spans.isEmpty)
        #expect(code { _ = try coverage("1-99999999999") } == .tooCostly)
    }

    @Test(
        "is refused where no kept resolution divides the points",
        arguments: [("15s:1h", "10s:1h,1m:1d"), ("1m:1h", "1h:31d"), ("1s:1m", Ladder.standardText)])
    func indivisible(text: String, ladder: String) {
        #expect(code { _ = try coverage(text, ladder: ladder) } == .badPeriod)
    }

    @Test(
        "is refused where the days of a zone are not kept for so long",
        arguments: [("1d:1y", "-0500"), ("1d:1w", "+0530"), ("1mo:1y", "+0100")])
    func zoneNotKept(text: String, zone: String) throws {
        #expect(code { _ = try coverage(text, zone) } == .zoneNotKept)
        #expect(try coverage(text, zone, cuts: true).truncatedBefore != nil)
    }

    @Test("finds the span of every bucket it reads")
    func spanOfBucket() throws {
        for text in ["1m:1h", "5m:1d", "1w:1mo", "1mo:1y", "all", "1h:60d"] {
            let coverage = try coverage(text)
            let stretch = try #require(coverage.stretches.first)
            let resolution = stretch.resolution
            #expect(coverage.stretches.count == 1)
            for bucket in stretch.buckets {
                let index = try #require(coverage.spanIndex(ofBucket: bucket, in: resolution))
                guard !resolution.isAllTime else { continue }
                let start = resolution.startSeconds(ofBucket: bucket)
                #expect(coverage.spans[index].startSeconds <= start && start < coverage.spans[index].endSeconds)
            }
            guard !resolution.isAllTime else { continue }
            #expect(coverage.spanIndex(ofBucket: stretch.buckets.lowerBound - 1, in: resolution) == nil)
            #expect(coverage.spanIndex(ofBucket: stretch.buckets.upperBound, in: resolution) == nil)
        }
    }
}
