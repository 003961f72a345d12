import Foundation
import HailCore
import HailWire
import Testing

/// The published examples: `protocol/vectors/lines.json`.
@Suite("Published lines")
struct LineVectorTests {
    struct Case: Decodable, CustomTestStringConvertible {
        struct Accept: Decodable {
            let subject: [String]
            let metrics: [String: String]
            let paths: [[String]]
            let time: Int64?
        }

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
        #expect(cases.count >= 150)
        for example in cases {
            let lines = ReadLine.all(of: example.bytes)
            #expect(lines.count == 1, "\(example.testDescription)")
            guard let read = lines.first else { continue }
            #expect(read.error?.rawValue == example.reject, "\(example.testDescription)")
            guard let accept = example.accept else { continue }
            let name = try #require(read.name, "\(example.testDescription)")
            #expect(CellName.joined(name.subject) == CellName.joined(accept.subject), "\(example.testDescription)")
            #expect(name.paths.map(CellName.joined) == accept.paths.map(CellName.joined), "\(example.testDescription)")
            #expect(read.amounts == accept.metrics, "\(example.testDescription)")
            #expect(read.timeSeconds == accept.time, "\(example.testDescription)")
        }
    }

    @Test("are either taken or refused, each once")
    func wellFormed() throws {
        let cases = try LineVectorTests.cases()
        for example in cases {
            #expect((example.accept == nil) != (example.reject == nil), "\(example.testDescription)")
            #expect((example.line == nil) != (example.hex == nil), "\(example.testDescription)")
            if let reject = example.reject { #expect(LineError(rawValue: reject) != nil) }
        }
        #expect(Set(cases.map(\.bytes)).count == cases.count)
    }
}
