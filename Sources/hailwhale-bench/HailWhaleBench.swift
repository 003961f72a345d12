import CBench
import Glibc

/// The parts of the bench that must be fast themselves; `Benchmarks/line_path.py` puts them together.
@main
struct HailWhaleBench {
    private static let usage = """
        usage: hailwhale-bench lane [series=1000] [lines=25] [tags=3] [turns=20]
               hailwhale-bench send port=N [series=1000] [lines=25] [tags=3] [datagrams=100000] [rate=100000]
                                    [prefix=shop] [cpu=N]
               hailwhale-bench sink [port=0] [cpu=N]
        """

    static func main() {
        let words = CommandLine.arguments
        let arguments = Arguments(
            words.dropFirst(2),
            known: ["series", "lines", "tags", "turns", "port", "datagrams", "rate", "prefix", "cpu"])
        guard words.count > 1, arguments.unknown.isEmpty else { end(usage) }
        let cpu = arguments.number("cpu", -1)
        if cpu >= 0, bench_pin(Int32(cpu)) != 0 { end("there is no CPU \(cpu) for this process") }
        switch words[1] {
        case "lane": lane(arguments)
        case "send": send(arguments)
        case "sink": sink(arguments)
        default: end(usage)
        }
    }

    private static func load(_ arguments: Arguments) -> Load {
        Load(
            series: max(1, arguments.number("series", 1_000)), linesPerDatagram: max(1, arguments.number("lines", 25)),
            tags: arguments.number("tags", 3), prefix: arguments.text("prefix", "shop"))
    }

    private static func lane(_ arguments: Arguments) {
        do {
            print(try LaneRun(load: load(arguments), turns: max(1, arguments.number("turns", 20))).measure())
        } catch {
            end("\(error)")
        }
    }

    private static func send(_ arguments: Arguments) {
        guard let port = UInt16(exactly: arguments.number("port", 0)), port > 0 else { end(usage) }
        let load = load(arguments)
        let total = max(1, arguments.number("datagrams", 100_000))
        let sent = bench_send(
            port, load.bytes, load.offsets, UInt64(load.datagramCount), UInt64(total),
            Double(max(1, arguments.number("rate", 100_000))),
            isatty(2) == 1 ? { HailWhaleBench.say("\rsending: \(Int($0 * 100)) %  ") } : nil)
        if isatty(2) == 1 { say("\r                 \r") }
        guard sent.error == 0 else { end("sending: \(String(cString: strerror(sent.error)))") }
        // Whole turns of the ring bring all its lines, the rest those of its first datagrams.
        let rest = Int(sent.datagrams) % load.datagramCount
        let lines = Int(sent.datagrams) / load.datagramCount * load.lineCount + rest * load.linesPerDatagram
        print(
            """
            {"datagrams": \(sent.datagrams), "lines": \(lines), "seconds": \(sent.seconds), \
            "ring": \(load.datagramCount)}
            """)
    }

    private static func sink(_ arguments: Arguments) {
        guard let port = UInt16(exactly: arguments.number("port", 0)) else { end(usage) }
        let received = bench_sink(port) { port in
            print("{\"port\": \(port)}")
            fflush(nil)
        }
        guard received.error == 0 else { end("receiving: \(String(cString: strerror(received.error)))") }
        print(
            """
            {"datagrams": \(received.datagrams), "lines": \(received.lines), "dropped": \(received.dropped), \
            "cpu_seconds": \(received.cpu_seconds)}
            """)
    }

    private static func end(_ text: String) -> Never {
        say(text + "\n")
        exit(2)
    }

    /// Writes to the standard error output.
    private static func say(_ text: String) {
        var text = text
        _ = text.withUTF8 { write(2, $0.baseAddress, $0.count) }
    }
}
