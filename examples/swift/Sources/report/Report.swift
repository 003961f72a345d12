import HailClient

/// A product of a shop: what it sells for is counted under its own name and its id, `Product` and `42`.
struct Product: Identifiable, HailSubject {
    let id: Int

    static let hailClient = HailClient(
        host: word(1) ?? "127.0.0.1", port: word(2).flatMap { Int($0) } ?? 8_125,
        httpPort: word(3).flatMap { Int($0) } ?? 8_085)

    private static func word(_ place: Int) -> String? {
        CommandLine.arguments.count > place ? CommandLine.arguments[place] : nil
    }
}

/// Sells a product, waits until that is counted, and reports.
///
///     swift run --package-path examples/swift report 127.0.0.1 8125 8085
@main
struct Report {
    static func main() async throws {
        let product = Product(id: 42)
        for country in ["US", "US", "DE"] { product.count(["revenue": 12.5, "items": 2], ["country": country]) }
        Product.hailClient.flush()

        // What is in the agent's open window is not in its answers yet.
        var totals = try await product.totals(["revenue", "revenue/hits"], periods: ["all"])
        while totals["revenue"] == 0 {
            try await Task.sleep(for: .milliseconds(100))
            totals = try await product.totals(["revenue", "revenue/hits"], periods: ["all"])
        }
        print("revenue", totals["revenue"] ?? 0, "a sale", totals["revenue/hits"] ?? 0)

        let plot = try await product.plotpoints(["items"], dimensions: [["country"]], period: "1d:3d", depth: 1)
        for series in plot.series {
            print(series.dimension.joined(separator: " > "), series.points.map(\.value), "in all", series.total)
        }
        for rank in try await product.rank(by: "revenue", period: "all") where rank.isImportant {
            print("important:", rank.dimension.joined(separator: " > "), rank.score)
        }
        do {
            _ = try await product.totals(periods: ["fortnight"])
        } catch {
            // Swift 6.3 crashes over `catch .refused(let refusal)` here; docs/clients.md says more.
            guard case .refused(let refusal) = error else { throw error }
            print("refused:", refusal.status, refusal.code, refusal.parameter ?? "")
        }
    }
}
