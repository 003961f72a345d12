import HailCore
import HailQuery
import HailWire

/// An HTTP write's `pk`, `dimensions` and `metrics`, as the lane takes them.
struct WriteParameters {
    let name: SeriesName
    /// Millionths, by the metrics of the name.
    let micros: [Int64]

    /// - Parameter kind: a counter, or a gauge, which needs its metrics named and has no `hits`.
    /// - Throws: `APIError` with the parameter's name.
    static func read(_ parameters: RequestParameters, as kind: Kind = .counter) throws -> WriteParameters {
        do throws(QueryError) {
            let subject = try WrittenPaths(subject: parameters["pk"])
            guard subject.full.count <= 1 else {
                throw QueryError(
                    .badPath, "pk", "An event is about one subject; \(subject.full.count) paths are given.")
            }
            let dimensions = try WrittenPaths(dimensions: parameters["dimensions"])
            let metrics = try WrittenMetrics(parameters["metrics"])
            var names: [String] = []
            var micros: [Int64] = []
            for item in metrics.items {
                names.append(item.name.text)
                micros.append(try value(of: item))
            }
            guard kind == .counter || !names.isEmpty else {
                throw QueryError(
                    .badMetric, "metrics", "Which metrics are set to what is missing; write {\"stock\":17}.")
            }
            if kind == .counter, !names.contains(SeriesName.hits) {
                names.append(SeriesName.hits)
                micros.append(1_000_000)
            }
            let paths = dimensions.isExact ? dimensions.counted.filter { !$0.isEmpty } : dimensions.full
            guard paths.count <= Limits.tags else {
                throw QueryError(
                    .badPath, "dimensions", "There are \(paths.count) dimension paths; \(Limits.tags) are allowed.")
            }
            return WriteParameters(
                name: SeriesName(
                    subject: subject.full.first ?? [], metrics: names, kind: kind, paths: paths,
                    isExact: dimensions.isExact),
                micros: micros)
        } catch {
            throw APIError(error)
        }
    }

    private static func value(of item: WrittenMetrics.Item) throws(QueryError) -> Int64 {
        let bytes = Array(item.value.utf8)
        let result = bytes.withUnsafeBufferPointer { text -> Result<Int64, LineError> in
            do throws(LineError) { return .success(try DecimalText.micros(text)) } catch { return .failure(error) }
        }
        switch result {
        case .success(let micros): return micros
        case .failure(let error):
            throw QueryError(
                .badMetric, "metrics",
                "The value of \(item.name.text) is \(error == .outOfRange ? "out of range" : "no number"): a value is a "
                    + "decimal between ±\(Limits.largestValue).")
        }
    }
}

extension APIError {
    init(_ error: QueryError) {
        let status = error.code == .storeUnreadable ? 503 : 400
        self.init(
            status: status, code: error.code.rawValue, parameter: error.parameter.isEmpty ? nil : error.parameter,
            message: error.message)
    }
}
