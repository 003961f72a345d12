import Glibc

@testable import HailAgent

/// The surroundings of a command under test: what it reads is given, what it writes is kept.
final class Stage: @unchecked Sendable {
    // Commands run on the test's own thread; nothing else touches the stage while they do.
    var environment: [String: String] = [:]
    var files: [String: String] = [:]
    var input: [[UInt8]?] = []
    var answer: Result<FetchAnswer, SystemError> = .failure(SystemError(reason: "Connection refused"))
    var faults: [String] = []
    /// Datagrams that the next sends refuse, by number from 0.
    var refusedDatagrams: Set<Int> = []
    private(set) var output = ""
    private(set) var errorOutput = ""
    private(set) var targets: [String] = []
    private(set) var datagrams: [[UInt8]] = []
    private(set) var ran: AgentOptions?
    private(set) var reread: Surroundings.Reread?
    private var sendCount = 0

    func run(_ arguments: String...) -> Int32 { run(arguments) }

    func run(_ arguments: [String]) -> Int32 {
        CommandDispatch.main(arguments: arguments, surroundings: surroundings)
    }

    private var surroundings: Surroundings {
        Surroundings(
            environment: environment,
            readFile: { path throws(SystemError) in
                guard let text = self.files[path] else { throw SystemError(reason: "No such file") }
                return Array(text.utf8)
            },
            input: { self.input.isEmpty ? [] : self.input.removeFirst() },
            output: {
                self.output += String(decoding: $0, as: UTF8.self)
                return true
            },
            errorOutput: { self.errorOutput += String(decoding: $0, as: UTF8.self) },
            openDatagrams: { target throws(SystemError) in
                if case .inet(let place) = target, place.host == "unknown.invalid" {
                    throw SystemError(reason: "Name or service not known")
                }
                return { bytes throws(SystemError) in
                    defer { self.sendCount += 1 }
                    guard !self.refusedDatagrams.contains(self.sendCount) else {
                        throw SystemError(reason: "Connection refused")
                    }
                    self.datagrams.append(bytes)
                }
            },
            fetch: { agent, target throws(SystemError) in
                self.targets.append("http://\(agent.authority)\(target)")
                return try self.answer.get()
            },
            storeFaults: { _ in self.faults },
            run: { options, reread in
                self.ran = options
                self.reread = reread
                return 7
            })
    }
}
