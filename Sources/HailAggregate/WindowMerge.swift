package import HailCore

/// Makes one body of the bodies of several windows: what counts in the same bucket of a width adds up.
///
/// Bodies are added in the order of their windows. What comes of them counts what they did in every resolution as wide as the
/// buckets, and in wider ones.
package struct WindowMerge {
    private struct Place: Hashable {
        let identity: [UInt8]
        let startSeconds: Int64
    }

    private struct Value: Hashable {
        let slot: UInt16
        let value: Int64
    }

    private let widthSeconds: Int64
    private let kind: ([UInt8]) -> Kind?
    private var series: [WindowBody.Series] = []
    private var places: [Place: Int] = [:]
    /// By place in `series`: where a value of a timer or a member of a set is among its samples.
    private var values: [Int: [Value: Int]] = [:]
    /// Gauges, in the order they came.
    private var gauges: [(place: Place, sample: WindowSums.Sample)] = []

    /// - Parameter kind: of a series, by its identity; nil for what is none.
    package init(widthSeconds: Int64, kind: @escaping ([UInt8]) -> Kind?) {
        self.widthSeconds = widthSeconds
        self.kind = kind
    }

    /// Adds the body of a window that began at a second.
    ///
    /// - Returns: false if it makes no sense.
    package mutating func add(_ body: WindowBody, startSeconds: Int64) -> Bool {
        for series in body.series {
            guard let kind = kind(series.identity) else { return false }
            if !series.sums.isEmpty {
                let index = index(
                    Place(identity: series.identity, startSeconds: start(series.timeSeconds ?? startSeconds)))
                if self.series[index].sums.isEmpty {
                    self.series[index].sums = series.sums
                } else {
                    guard self.series[index].sums.count == series.sums.count else { return false }
                    for slot in series.sums.indices { self.series[index].sums[slot] &+= series.sums[slot] }
                }
            }
            for var sample in series.samples {
                sample.startSeconds = start(
                    sample.startSeconds == ScannedLine.noTime ? startSeconds : sample.startSeconds)
                let place = Place(identity: series.identity, startSeconds: sample.startSeconds)
                if kind == .gauge { gauges.append((place, sample)) } else { add(sample, at: index(place), kind) }
            }
        }
        return true
    }

    private func start(_ seconds: Int64) -> Int64 { seconds.floorDivided(by: widthSeconds) * widthSeconds }

    private mutating func index(_ place: Place) -> Int {
        if let known = places[place] { return known }
        places[place] = series.count
        series.append(WindowBody.Series(identity: place.identity, timeSeconds: place.startSeconds, sums: []))
        return series.count - 1
    }

    /// Adds a timer's value to an equal one, where that is exact, and a member only once.
    private mutating func add(_ sample: WindowSums.Sample, at index: Int, _ kind: Kind) {
        let isWhole = sample.extra % 1_000_000 == 0
        let value = Value(slot: sample.slot, value: sample.value)
        if kind == .set || isWhole, let known = values[index]?[value] {
            if kind == .set { return }
            let (weight, isOver) = series[index].samples[known].extra.addingReportingOverflow(sample.extra)
            if !isOver {
                series[index].samples[known].extra = weight
                return
            }
        }
        if kind == .set || isWhole { values[index, default: [:]][value] = series[index].samples.count }
        series[index].samples.append(sample)
    }

    /// What was added.
    package var body: WindowBody {
        WindowBody(condition: nil, widthSeconds: widthSeconds, series: series + gaugeSeries)
    }

    /// Where a gauge is moved, everything is kept, in order; else the newest value of each gauge and bucket.
    private var gaugeSeries: [WindowBody.Series] {
        var kept = Array(gauges.indices)
        if !gauges.contains(where: \.sample.isMove) {
            struct Cell: Hashable {
                let place: Place
                let slot: UInt16
            }
            var newest: [Cell: Int] = [:]
            for (number, gauge) in gauges.enumerated() {
                let cell = Cell(place: gauge.place, slot: gauge.sample.slot)
                if let known = newest[cell], gauges[known].sample.extra > gauge.sample.extra { continue }
                newest[cell] = number
            }
            kept = newest.values.sorted()
        }
        var runs: [WindowBody.Series] = []
        for number in kept {
            let gauge = gauges[number]
            if let last = runs.last, last.identity == gauge.place.identity {
                runs[runs.count - 1].samples.append(gauge.sample)
            } else {
                runs.append(
                    WindowBody.Series(
                        identity: gauge.place.identity, timeSeconds: nil, sums: [], samples: [gauge.sample]))
            }
        }
        return runs
    }
}
