import HailCore

/// Who is admitted, as `protocol/redis.md` describes it, in memory and the obvious way.
struct AdmissionModel {
    struct Chunk: Hashable {
        let subject: Digest
        let widthSeconds: Int64
        let chunk: Int64
    }

    /// Admitted names by what they count among.
    private(set) var names: [Chunk: [[UInt8]: Set<[UInt8]>]] = [:]
    private(set) var askCount = 0

    mutating func answer(_ ask: AdmissionAsk) -> [[AdmissionAsk.Verdict]] {
        askCount += 1
        return ask.pages.map { page in
            let chunk = Chunk(subject: page.digest, widthSeconds: page.widthSeconds, chunk: page.chunk)
            var said: [AdmissionAsk.Verdict] = []
            for item in page.items {
                if let parent = item.parent, [.refused, .wide].contains(said[parent]) {
                    said.append(said[parent])
                } else {
                    said.append(judge(item, page, chunk, ask.smallFields))
                }
            }
            return said
        }
    }

    private mutating func judge(
        _ item: AdmissionAsk.Item, _ page: AdmissionAsk.Page, _ chunk: Chunk, _ smallFields: Int
    ) -> AdmissionAsk.Verdict {
        let all = names[chunk, default: [:]].values.reduce(0) { $0 + $1.count }
        let own = names[chunk]?[item.counter] ?? []
        if own.contains(item.name) { return .admitted }
        if all >= smallFields {
            if !page.isWide { return .wide }
            if own.count >= item.limit { return .refused }
        }
        names[chunk, default: [:]][item.counter, default: []].insert(item.name)
        return .admitted
    }
}
