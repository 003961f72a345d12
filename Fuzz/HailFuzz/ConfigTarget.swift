import HailCore
import HailNet
import HailStore

@testable import HailAgent

/// A configuration file; or, where it begins with `-`, the arguments of `run`, one a line.
enum ConfigTarget {
    static func run(_ bytes: [UInt8]) {
        let text = String(decoding: bytes, as: UTF8.self)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        let isArguments = bytes.first == UInt8(ascii: "-")
        do throws(OptionError) {
            let options = try AgentOptions.parse(
                arguments: isArguments ? lines : ["--config", "f"], environment: [:],
                readFile: { _ throws(SystemError) in bytes })
            claim(!options.udp.isEmpty || !options.http.isEmpty || !options.tcp.isEmpty, "nothing to do")
            claim(
                (1...8).contains(options.ladder.resolutions.filter { !$0.isAllTime }.count), "a ladder of other length")
            let settings = options.ladder.resolutions.map { "\($0.widthSeconds)" }
            claim(!settings.isEmpty, "no resolution")
        } catch {
            claim(!"\(error)".isEmpty, "an error without words")
        }
        store(lines.first ?? "")
    }

    private static func store(_ text: String) {
        guard let url = try? StoreURL(parsing: text) else { return }
        let shown = url.description
        // What is shown of an address is the address, without who logs in; escapes in a path are shown decoded.
        if !text.utf8.contains(UInt8(ascii: "%")), !text.contains("?") {
            claim((try? StoreURL(parsing: shown))?.description == shown, "\(shown) is no address")
        }
        if case .tcp(let host, _, let login?, _) = url, login.password.utf8.count > 8, !host.contains(login.password) {
            claim(!shown.contains(login.password), "a password is shown")
        }
    }
}
