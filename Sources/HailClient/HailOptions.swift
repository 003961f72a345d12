/// How a client packs, waits and how much it holds.
public struct HailOptions: Sendable {
    /// How long a line may wait for others, in milliseconds, 1 to 60,000.
    public var flushMilliseconds: Int
    /// Bytes that a datagram is filled to, 64 to 65,507; a longer line travels alone.
    ///
    /// The default, 1,432, passes an Ethernet path without fragments, over IPv6 and with room for a tunnel.
    public var datagramBytes: Int
    /// Bytes that may wait while the system or the agent does not take them, at least one datagram.
    ///
    /// What comes beyond is dropped and counted.
    public var bufferBytes: Int

    /// Seconds after which a question is given up, 0.001 to 3,600.
    public var timeoutSeconds: Double
    /// The longest answer that is taken, at least 1 KiB.
    public var answerBytes: Int

    /// Values outside their bounds are moved to the nearest bound.
    public init(
        flushMilliseconds: Int = 100, datagramBytes: Int = 1_432, bufferBytes: Int = 1_048_576,
        timeoutSeconds: Double = 10, answerBytes: Int = 67_108_864
    ) {
        self.flushMilliseconds = min(max(flushMilliseconds, 1), 60_000)
        self.datagramBytes = min(max(datagramBytes, 64), 65_507)
        self.bufferBytes = max(bufferBytes, self.datagramBytes)
        // Of two numbers of which one is none, min and max give either.
        self.timeoutSeconds = timeoutSeconds.isNaN ? 10 : min(max(timeoutSeconds, 0.001), 3_600)
        self.answerBytes = max(answerBytes, 1_024)
    }
}
