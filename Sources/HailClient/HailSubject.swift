/// Something that is counted: what happens to it is said by `count`, and what was counted is asked of it.
///
///     extension Product: HailSubject {
///         static let hailClient = HailClient(host: "127.0.0.1")
///     }
///
///     product.count(["revenue": 12.5], ["country": "US"])
///     let week = try await product.totals(["revenue", "hits"], periods: ["seven"])
///
/// A type with an `id` is counted under its own name and that: `Product`, `42`. So the subject `Product` holds them all.
public protocol HailSubject {
    /// The client that counts and asks.
    static var hailClient: HailClient { get }
    /// The subject that stands for it.
    var hailName: HailName { get }
}

extension HailSubject where Self: Identifiable {
    /// The name of the type, and the id.
    public var hailName: HailName { [String(describing: Self.self), "\(id)"] }
}

extension HailSubject {
    /// Counts an event that happened to it; see `HailClient.event`.
    public func count(
        _ metrics: [String: Double] = [:], _ dimensions: [String: any HailPath] = [:], at time: Int64? = nil
    ) {
        Self.hailClient.event(hailName, metrics, dimensions, at: time)
    }

    /// What was counted of it over whole periods; see `HailClient.totals`.
    public func totals(
        _ metrics: [String] = ["hits"], dimensions: [[String]] = [[]], periods: [String] = [], zone: String? = nil
    ) async throws(HailError) -> HailTotals {
        try await Self.hailClient.totals(
            of: hailName, metrics, dimensions: dimensions, periods: periods, zone: zone)
    }

    /// What was counted of it, point by point; see `HailClient.plotpoints`.
    public func plotpoints(
        _ metrics: [String] = ["hits"], dimensions: [[String]] = [[]], period: String? = nil, depth: Int = 0,
        sort: String? = nil, limit: Int = 0, threshold: Double = 0, zone: String? = nil
    ) async throws(HailError) -> HailPlot {
        try await Self.hailClient.plotpoints(
            of: hailName, metrics, dimensions: dimensions, period: period, depth: depth, sort: sort, limit: limit,
            threshold: threshold, zone: zone)
    }

    /// Which of its dimensions explain a number; see `HailClient.rank`.
    public func rank(
        by metric: String = "hits", below dimension: [String] = [], period: String? = nil, isRecursive: Bool = true,
        prunesParents: Bool = true, zone: String? = nil
    ) async throws(HailError) -> [HailRank] {
        try await Self.hailClient.rank(
            of: hailName, by: metric, below: dimension, period: period, isRecursive: isRecursive,
            prunesParents: prunesParents, zone: zone)
    }
}
