internal import HailCore
internal import HailWire

/// Sends events to a HailWhale agent and never stands in the way: no call waits, throws or fails.
///
///     let client = HailClient(host: "127.0.0.1")
///     client.count("api.users.get")
///     client.event("Product.42", ["revenue": 12.5, "sales": 1], ["country": "US", "geo": ["US", "CA"]])
///     client.close()
///
/// Lines are packed into datagrams of up to 1,432 bytes and sent from a queue of the client's own, when one is full or
/// a tenth of a second after its first line. May be used from any thread. Names may hold any character but control
/// characters. What cannot be sent is dropped and counted (`droppedCount`): a datagram may still be lost on its way,
/// which nobody is told.
///
/// What a line may hold, such as how many parts a name, is said in `protocol/line.md`; the agent refuses and counts
/// what is beyond.
public final class HailClient: Sendable {
    private let courier: Courier
    let inquirer: Inquirer

    /// A client of an agent that listens on UDP, and on HTTP if it is asked.
    ///
    /// - Parameters:
    ///   - host: A name or an address, IPv4 or IPv6 without brackets. It is looked up when the first datagram is sent,
    ///     and for every question.
    ///   - port: Of UDP, 1 to 65,535.
    ///   - httpPort: Of HTTP, 1 to 65,535.
    ///   - options: How to pack, how much to hold and how long to wait.
    public init(
        host: String, port: Int = 8_125, httpPort: Int = 8_085, options: HailOptions = HailOptions()
    ) {
        courier = Courier(to: .host(host, port: port), options)
        inquirer = Inquirer(.host(host, port: httpPort), options)
    }

    /// A client of an agent that listens on a unix datagram socket.
    ///
    /// - Parameters:
    ///   - unixPath: The socket's path, at most 107 bytes. An agent that is not there yet is waited for, within
    ///     `bufferBytes`.
    ///   - httpPath: The path of a unix socket on which it answers HTTP (`--http unix:/path`), where it is asked.
    ///   - options: How to pack, how much to hold and how long to wait.
    public init(unixPath: String, httpPath: String = "", options: HailOptions = HailOptions()) {
        courier = Courier(to: .unix(path: unixPath), options)
        inquirer = Inquirer(.unix(path: httpPath), options)
    }

    deinit { courier.closeLater() }

    // MARK: What happened

    /// Adds to a counter: the last part of the name is the metric, the parts before it whom it is about.
    ///
    /// - Parameters:
    ///   - name: Such as `api.users.get`.
    ///   - value: Finite, with up to six decimals, at most 9·10¹² from zero.
    ///   - dimensions: By what it can be told apart.
    ///   - rate: The share of calls that is sent, 0.000001 to 1; the agent multiplies by its inverse.
    public func count(
        _ name: HailName, _ value: Double = 1, _ dimensions: [String: any HailPath] = [:], rate: Double = 1
    ) {
        sample(name, value, "c", dimensions, rate: rate)
    }

    /// Adds a whole number to a counter.
    public func count(_ name: HailName, _ value: Int, _ dimensions: [String: any HailPath] = [:], rate: Double = 1) {
        count(name, Double(value), dimensions, rate: rate)
    }

    /// Sets a gauge; the last one set is what is read.
    ///
    /// - Parameters:
    ///   - name: As of a counter.
    ///   - value: Finite; negative ones too.
    ///   - dimensions: By what it can be told apart.
    public func gauge(_ name: HailName, _ value: Double, _ dimensions: [String: any HailPath] = [:]) {
        func set(_ value: Double) -> [UInt8]? {
            Self.line(name, "g", dimensions) { line in
                guard value.isFinite else { return false }
                line.addValue(Self.text(value))
                return true
            }
        }
        // A sign would move the gauge; from zero, to move and to set are the same. Both lines travel together.
        guard value < 0, let zero = set(0), let last = set(value) else { return send(set(value)) }
        courier.add(zero + [UInt8(ascii: "\n")] + last)
    }

    /// Sets a gauge to a whole number.
    public func gauge(_ name: HailName, _ value: Int, _ dimensions: [String: any HailPath] = [:]) {
        gauge(name, Double(value), dimensions)
    }

    /// Moves a gauge up or down from where it stands.
    ///
    /// It takes no dimensions, since an agent takes a signed gauge that has some as a value.
    public func gauge(_ name: HailName, by difference: Double) {
        send(
            Self.line(name, "g", [:]) { line in
                guard difference.isFinite else { return false }
                line.addValue((difference < 0 ? "" : "+") + Self.text(difference))
                return true
            })
    }

    /// Adds a sample to a timer, of which count, sum, extremes and percentiles are read.
    ///
    /// - Parameters:
    ///   - name: As of a counter.
    ///   - milliseconds: Finite, with up to six decimals, at most 9·10¹² from zero.
    ///   - dimensions: By what it can be told apart.
    ///   - rate: The share of calls that is sent, 0.000001 to 1.
    public func timing(
        _ name: HailName, _ milliseconds: Double, _ dimensions: [String: any HailPath] = [:], rate: Double = 1
    ) {
        sample(name, milliseconds, "ms", dimensions, rate: rate)
    }

    /// Adds a duration to a timer.
    public func timing(
        _ name: HailName, _ duration: Duration, _ dimensions: [String: any HailPath] = [:], rate: Double = 1
    ) {
        let (seconds, attoseconds) = duration.components
        // Whole nanoseconds, of which one division makes the nearest number; a line keeps no more of milliseconds.
        let nanoseconds = Double(seconds) * 1_000_000_000 + Double(attoseconds / 1_000_000_000)
        timing(name, nanoseconds / 1_000_000, dimensions, rate: rate)
    }

    /// Runs `body` and adds the time it took to a timer, also where it throws.
    public func timing<Result, Failure: Error>(
        _ name: HailName, _ dimensions: [String: any HailPath] = [:], _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let start = ContinuousClock.now
        defer { timing(name, ContinuousClock.now - start, dimensions) }
        return try body()
    }

    /// Counts a member of a set, of which the number of distinct ones is read.
    public func distinct(_ name: HailName, _ member: String, _ dimensions: [String: any HailPath] = [:]) {
        send(
            Self.line(name, "s", dimensions) { line in
                line.addMember(member)
                return !member.isEmpty
            })
    }

    /// Counts an event with named metrics; `hits` is counted once besides, unless it is among them.
    ///
    /// - Parameters:
    ///   - subject: Whom it happened to: the whole name.
    ///   - metrics: Finite numbers with up to six decimals.
    ///   - dimensions: By what it can be told apart.
    ///   - time: When, in Unix seconds; nil is when it arrives.
    public func event(
        _ subject: HailName, _ metrics: [String: Double] = [:], _ dimensions: [String: any HailPath] = [:],
        at time: Int64? = nil
    ) {
        send(
            Self.line(subject, "c", dimensions) { line in
                for (metric, value) in metrics.sorted(by: { $0.key < $1.key }) {
                    guard value.isFinite, !metric.isEmpty else { return false }
                    line.addMetric(metric, Self.text(value))
                }
                if metrics.isEmpty { line.addMetric("hits", "1") }
                return true
            } sections: { line in
                if let time { line.addTime(unixSeconds: time) }
            })
    }

    // MARK: On its way

    /// Samples that were not sent: buffer full, no agent there, closed, or nothing that a line can say.
    public var droppedCount: Int { courier.outbox.holding { $0.droppedCount } }

    /// Hands the system everything given so far, as far as it takes it without waiting.
    ///
    /// It waits for the client's own queue, which may be looking up the host.
    public func flush() { courier.flushNow() }

    /// Hands over what waits and ends the client; what is given afterwards is dropped and counted.
    ///
    /// A client that is let go of without it still sends what waits, if the process lives on for long enough.
    ///
    /// - Parameter patience: How long to wait for a system or agent that does not take it, in milliseconds.
    public func close(withinMilliseconds patience: Int = 1_000) {
        courier.close(withinMilliseconds: min(max(patience, 0), 60_000))
    }

    // MARK: Lines

    private func sample(
        _ name: HailName, _ value: Double, _ type: String, _ dimensions: [String: any HailPath], rate: Double
    ) {
        guard rate >= 0.000_001, rate <= 1 else { return courier.drop() }
        if rate < 1, Double.random(in: 0..<1) >= rate { return }
        send(
            Self.line(name, type, dimensions) { line in
                guard value.isFinite else { return false }
                line.addValue(Self.text(value))
                return true
            } sections: { line in
                if rate < 1 { line.addRate(Self.text(rate)) }
            })
    }

    private func send(_ line: [UInt8]?) {
        if let line { courier.add(line) } else { courier.drop() }
    }

    /// A line; nil where there is none to say it.
    private static func line(
        _ name: HailName, _ type: String, _ dimensions: [String: any HailPath], values: (inout LineWriter) -> Bool,
        sections: (inout LineWriter) -> Void = { _ in }
    ) -> [UInt8]? {
        var line = LineWriter(name: name.parts)
        guard !line.isNameless, values(&line) else { return nil }
        line.addType(type)
        sections(&line)
        // In the order of their names, so that the same dimensions are the same bytes.
        for (dimension, path) in dimensions.sorted(by: { $0.key < $1.key }) where !dimension.isEmpty {
            line.addTag(dimension, path.pathParts)
        }
        // A line end within a name would begin another line.
        return line.hasControlByte ? nil : line.bytes
    }

    /// The shortest decimal that is read as the number; whole numbers without a point.
    private static func text(_ value: Double) -> String {
        Int64(exactly: value).map { String($0) } ?? value.description
    }
}
