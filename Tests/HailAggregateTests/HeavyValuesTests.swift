import Testing

@testable import HailAggregate

@Suite("Heavy values")
struct HeavyValuesTests {
    @Test("are off by no more than the whole ÷ counters, and never guaranteed too much", arguments: [1, 7, 40, 500])
    func bounds(limit: Int) {
        var random = SplitMix(seed: UInt64(limit))
        var heavy = HeavyValues(limit: limit, nowSeconds: 0)
        var exact: [UInt64: Double] = [:]
        var whole = 0.0
        for _ in 0..<20_000 {
            let key = UInt64(random.below(20) * random.below(20) * random.below(20))
            let weight = Double(1 + random.below(9))
            heavy.add(weight, to: key)
            heavy.count(weight)
            exact[key, default: 0] += weight
            whole += weight
        }
        for (key, weight) in exact {
            #expect(heavy.guaranteed(key) <= weight)
            if weight > 2 * whole / Double(limit) {
                #expect(heavy.guaranteed(key) >= weight - whole / Double(limit))
                #expect(heavy.isHeavy(key, parts: limit))
            }
        }
        #expect(heavy.total == whole)
    }

    @Test("lose half their weight in a half-life, so that later ones overtake them")
    func ages() {
        var heavy = HeavyValues(limit: 10, nowSeconds: 1_000)
        heavy.add(800, to: 1)
        heavy.count(1_000)
        heavy.age(nowSeconds: 1_000 + HeavyValues.halfLifeSeconds - 1)
        #expect(heavy.total == 1_000)
        heavy.age(nowSeconds: 1_000 + 2 * HeavyValues.halfLifeSeconds)
        #expect(heavy.total == 250)
        #expect(heavy.guaranteed(1) == 200)
        #expect(heavy.isHeavy(1, parts: 2) && !heavy.isHeavy(1, parts: 1) && !heavy.isHeavy(2, parts: 1_000))
    }
}
