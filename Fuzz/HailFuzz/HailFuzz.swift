import CLibFuzzer
import Glibc

/// `hailfuzz TARGET [libFuzzer's options and folders]`: feeds a part of the agent with whatever libFuzzer makes up.
@main
enum HailFuzz {
    /// Chosen once, before libFuzzer begins; its callback has no context of its own.
    nonisolated(unsafe) static var target = Target.line

    static func main() {
        guard CommandLine.arguments.count > 1, let target = Target(rawValue: CommandLine.arguments[1]) else {
            print(Target.allCases.map(\.rawValue).joined(separator: "\n"))
            exit(CommandLine.arguments.count > 1 ? 2 : 0)
        }
        self.target = target
        var count = CommandLine.argc - 1
        var words: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = CommandLine.unsafeArgv + 1
        // libFuzzer takes its own name from the first word.
        CommandLine.unsafeArgv[1] = CommandLine.unsafeArgv[0]
        exit(
            LLVMFuzzerRunDriver(&count, &words) { start, count in
                HailFuzz.target.run(Array(UnsafeBufferPointer(start: start, count: count)))
                return 0
            })
    }
}

/// What is fed.
enum Target: String, CaseIterable {
    case line
    case request
    case spool
    case reply
    case config
    case address
    case answer
    case zone

    func run(_ bytes: [UInt8]) {
        switch self {
        case .line: LineTarget.run(bytes)
        case .request: RequestTarget.run(bytes)
        case .spool: SpoolTarget.run(bytes)
        case .reply: ReplyTarget.run(bytes)
        case .config: ConfigTarget.run(bytes)
        case .address: AddressTarget.run(bytes)
        case .answer: AnswerTarget.run(bytes)
        case .zone: ZoneTarget.run(bytes)
        }
    }
}

/// Ends the process where a claim does not hold: a find, as a crash is.
func claim(_ isTrue: Bool, _ claim: @autoclosure () -> String, line: UInt = #line, file: StaticString = #fileID) {
    if !isTrue { fatalError(claim(), file: file, line: line) }
}
