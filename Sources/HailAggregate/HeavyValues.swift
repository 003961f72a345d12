/// Which of a dimension's refused values are heavy: at least a share of all that was counted in it.
///
/// Space-Saving (Metwally, Agrawal and El Abbadi 2005), with weights: the lightest counter gives way to a new key, which
/// takes its weight over as error. With m counters no error exceeds the weight of all keys ÷ m, and each key above
/// that has a counter. What was counted loses half its weight from time to time, so that what is heavy now
/// can overtake what was.
struct HeavyValues {
    private struct Counter {
        var key: UInt64
        var weight: Double
        var error: Double
        /// Its place in `heap`.
        var heapPlace: Int
    }

    /// Seconds after which what was counted has half its weight.
    static let halfLifeSeconds: Int64 = 300

    let limit: Int
    private var counters: [Counter] = []
    private var places: [UInt64: Int] = [:]
    /// Places of counters; the lightest first, as a binary heap.
    private var heap: [Int] = []
    /// The weight of everything in the dimension, admitted or not.
    private(set) var total = 0.0
    private var halvedSeconds: Int64

    init(limit: Int, nowSeconds: Int64) {
        self.limit = max(1, limit)
        halvedSeconds = nowSeconds
    }

    /// Whether nothing was added for so long that hardly anything of it is left.
    func isIdle(nowSeconds: Int64) -> Bool { nowSeconds - halvedSeconds > 12 * HeavyValues.halfLifeSeconds }

    /// Counts a weight that belongs to the dimension, whoever's it is.
    mutating func count(_ weight: Double) { total += weight }

    /// Adds to a refused value.
    mutating func add(_ weight: Double, to key: UInt64) {
        if let place = places[key] {
            counters[place].weight += weight
            sink(counters[place].heapPlace)
        } else if counters.count < limit {
            counters.append(Counter(key: key, weight: weight, error: 0, heapPlace: heap.count))
            places[key] = counters.count - 1
            heap.append(counters.count - 1)
            rise(heap.count - 1)
        } else {
            let place = heap[0]
            places[counters[place].key] = nil
            places[key] = place
            counters[place].key = key
            counters[place].error = counters[place].weight
            counters[place].weight += weight
            sink(0)
        }
    }

    /// What a value surely counted, at least.
    func guaranteed(_ key: UInt64) -> Double {
        places[key].map { counters[$0].weight - counters[$0].error } ?? 0
    }

    /// Whether a value has at least one part in `parts` of the whole.
    func isHeavy(_ key: UInt64, parts: Int) -> Bool {
        let weight = guaranteed(key)
        return weight > 0 && weight * Double(parts) >= total
    }

    /// Halves what is past its half-life.
    mutating func age(nowSeconds: Int64) {
        let halvings = (nowSeconds - halvedSeconds) / HeavyValues.halfLifeSeconds
        guard halvings > 0 else { return }
        halvedSeconds = nowSeconds
        var factor = 1.0
        for _ in 0..<min(halvings, 64) { factor /= 2 }
        total *= factor
        for place in counters.indices {
            counters[place].weight *= factor
            counters[place].error *= factor
        }
    }

    // MARK: The heap

    private func isLighter(_ left: Int, _ right: Int) -> Bool {
        counters[heap[left]].weight < counters[heap[right]].weight
    }

    private mutating func swap(_ left: Int, _ right: Int) {
        heap.swapAt(left, right)
        counters[heap[left]].heapPlace = left
        counters[heap[right]].heapPlace = right
    }

    private mutating func rise(_ start: Int) {
        var place = start
        while place > 0, isLighter(place, (place - 1) / 2) {
            swap(place, (place - 1) / 2)
            place = (place - 1) / 2
        }
    }

    private mutating func sink(_ start: Int) {
        var place = start
        while true {
            var least = place
            for child in [2 * place + 1, 2 * place + 2] where child < heap.count && isLighter(child, least) {
                least = child
            }
            guard least != place else { return }
            swap(place, least)
            place = least
        }
    }
}
