import HailCore
import HailWire

@testable import HailClient

/// What a client takes for an agent's answer: the bytes of HTTP, and the JSON in them.
enum AnswerTarget {
    private static let limitBytes = 512

    static func run(_ bytes: [UInt8]) {
        let whole = answer(to: bytes, pieceBytes: bytes.count)
        claim(whole?.body.count ?? 0 <= limitBytes, "a body longer than is taken")
        for size in [1, 2, 7] {
            let pieced = answer(to: bytes, pieceBytes: size)
            claim(
                pieced?.status == whole?.status && pieced?.body == whole?.body, "pieces of \(size) are another answer")
        }
        guard let value = try? JSONText.parse(whole?.body ?? bytes) else { return }
        if let totals = try? HailTotals(value), let first = totals.all.first { _ = totals[first.metric] }
        if let plot = try? HailPlot(value), let first = plot.series.first { _ = plot[first.metric] }
        _ = try? HailRank.list(value)
    }

    private static func answer(to bytes: [UInt8], pieceBytes: Int) -> HTTPAnswer? {
        var answer = HTTPAnswer(limitBytes: limitBytes)
        do throws(HailError) {
            for start in stride(from: 0, to: bytes.count, by: max(pieceBytes, 1)) {
                try answer.take(bytes[start..<min(start + pieceBytes, bytes.count)])
            }
            try answer.end()
        } catch {
            return nil
        }
        return answer
    }
}
