import HailCore

/// A chunk of a resolution.
struct CellPlace: Hashable, Sendable {
    let resolution: Resolution
    let chunk: Int64

    /// The bucket at an offset.
    func bucket(at offset: Int) -> Int64 {
        resolution.isAllTime ? 0 : chunk * Resolution.bucketsPerChunk + Int64(offset)
    }

    /// The offsets that coverages want of each chunk, once each, in the order first wanted.
    static func wanted(by coverages: [Coverage]) -> [(place: CellPlace, offsets: [Int])] {
        var order: [CellPlace] = []
        var marks: [CellPlace: [Bool]] = [:]
        for stretch in coverages.flatMap(\.stretches) {
            let resolution = stretch.resolution
            for bucket in stretch.buckets {
                let place = CellPlace(resolution: resolution, chunk: resolution.chunk(ofBucket: bucket))
                if marks[place] == nil { order.append(place) }
                marks[place, default: [Bool](repeating: false, count: Int(Resolution.bucketsPerChunk))][
                    resolution.offset(ofBucket: bucket)] = true
            }
        }
        return order.map { place in
            let marks = marks[place] ?? []
            return (place, marks.indices.filter { marks[$0] })
        }
    }
}
