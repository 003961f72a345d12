import Foundation
import HailCore
import HailWire
import Testing

/// The published examples: `protocol/vectors/lines.json`.
@Suite("Published lines")
struct LineVectorTests {
    struct Case: Decodable, CustomTestStringConvertible {
        struct Accept: Decodable {
            let kind: String
            let subject: [String]?
            let metrics: [String: String]?
            let values: [String: [String]]?
            let weight: String?
            let steps: [String: [Step]]?
            let members: [String: String]?
            let paths: [[String]]?
            let time: Int64?
        }

        struct Step: Decodable {
            let set: String?
            let move: String?

            var read: ReadLine.Step? {
                self.set.flatMap(Double.init).map(ReadLine.Step.set)
                    ?? move.flatMap(Double.init).map(ReadLine.Step.move)
            }
        }

        let sign: String?
        let line: String?
        let hex: String?
        let accept: Accept?
        let reject: String?

        var bytes: [UInt8] {
            if let line { return Array(line.utf8) }
            let digits = Array((hex ?? "").utf8)
            return stride(from: 0, to: digits.count - 1, by: 2).compactMap {
                UInt8(String(decoding: digits[$0...($0 + 1)], as: UTF8.self), radix: 16)
            }
        }

        var testDescription: String { String((line ?? hex ?? "?").prefix(60)) }
    }

    private struct File: Decodable {
        let cases: [Case]
    }

    static func cases() throws -> [Case] {
        let path = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../protocol/vectors/lines.json").standardized
        return try JSONDecoder().decode(File.self, from: Data(contentsOf: path)).cases
    }

    @Test("are read as they say")
    func published() throws {
        let cases = try LineVectorTests.cases()
        #expect(cases.count >= 400)
        for example in cases {
            let sign = try #require(GaugeSign(rawValue: example.sign ?? "auto"))
            let lines = ReadLine.all(of: example.bytes, sign: sign)
            #expect(lines.count == 1, "\(example.testDescription)")
            guard let read = lines.first else { continue }
            #expect(read.error?.rawValue == example.reject, "\(example.testDescription)")
            guard let accept = example.accept, read.error == nil else { continue }
            #expect(LineVectorTests.kind(of: read) == accept.kind, "\(example.testDescription)")
            guard let name = read.name else { continue }
            #expect(
                CellName.joined(name.subject) == CellName.joined(accept.subject ?? ["?"]),
                "\(example.testDescription)")
            #expect(name.paths.map(CellName.joined) == accept.paths?.map(CellName.joined), "\(example.testDescription)")
            #expect(read.timeSeconds == accept.time, "\(example.testDescription)")
            #expect(LineVectorTests.values(of: read, name, are: accept), "\(example.testDescription)")
        }
    }

    private static func kind(of read: ReadLine) -> String? { read.isMessage ? "event" : read.name?.kind.name }

    private static func values(of read: ReadLine, _ name: SeriesName, are accept: Case.Accept) -> Bool {
        switch name.kind {
        case .counter: return read.amounts == accept.metrics
        case .timer:
            return byMetric(name, read.values) { Amount(micros: Int128($0)).description } == accept.values
                && Amount(micros: Int128(read.weightMicros)).description == accept.weight
        case .gauge: return byMetric(name, read.steps) { $0 } == accept.steps?.mapValues { $0.compactMap(\.read) }
        case .set:
            guard let member = read.member, let metric = name.metrics.first else { return false }
            return [metric: String(decoding: member, as: UTF8.self)] == accept.members
        }
    }

    private static func byMetric<Value, Text>(
        _ name: SeriesName, _ values: [[Value]], _ text: (Value) -> Text
    ) -> [String: [Text]] {
        var result: [String: [Text]] = [:]
        for (metric, own) in zip(name.metrics, values) { result[metric, default: []] += own.map(text) }
        return result
    }

    @Test("are either taken or refused, each once")
    func wellFormed() throws {
        let cases = try LineVectorTests.cases()
        for example in cases {
            #expect((example.accept == nil) != (example.reject == nil), "\(example.testDescription)")
            #expect((example.line == nil) != (example.hex == nil), "\(example.testDescription)")
            if let reject = example.reject { #expect(LineError(rawValue: reject) != nil) }
        }
        let all = cases.map { [UInt8](($0.sign ?? "auto").utf8) + $0.bytes }
        #expect(Set(all).count == cases.count)
    }

    @Test("show every kind, every mode of signs, and every reason that a line alone can give")
    func complete() throws {
        let cases = try LineVectorTests.cases()
        #expect(Set(cases.compactMap { $0.accept?.kind }) == ["counter", "gauge", "timer", "set", "event"])
        #expect(Set(cases.compactMap(\.sign)) == ["delta", "value"])
        let others: Set<LineError> = [.late, .future, .lineTooLong, .unsealed]
        let reasons = Set(cases.compactMap { $0.reject.flatMap(LineError.init) })
        #expect(reasons == Set(LineError.allCases).subtracting(others))
    }
}
