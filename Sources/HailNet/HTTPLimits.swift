/// What callers may take of an HTTP server, for each address it listens on.
package struct HTTPLimits: Equatable, Sendable {
    /// Connections at once; more wait in the system's queue.
    package var connections = 1_000
    /// Connections at once from one address, so that one caller cannot take them all.
    package var connectionsPerAddress = 500
    /// The longest body; a longer one is answered with 413.
    package var bodyBytes = 4 << 20
    /// A body that is too long is read and thrown away up to here, so that its sender lives to see the answer.
    ///
    /// One that states a greater length is answered at once, one that states none is cut.
    package var discardedBytes = 16 << 20
    /// What the bodies of all requests take together; beyond it they are answered with 503.
    package var heldBytes = 64 << 20
    /// The longest request target; a longer one is answered with 414.
    package var targetBytes = 16 << 10
    /// Names and values of all header fields; more is answered with 431.
    package var headerBytes = 16 << 10
    /// What reading a request line and header fields may take, the two bounds above and more.
    ///
    /// What does not even fit here never reaches a handler: libmicrohttpd answers it, in HTML, and nothing counts it.
    package var requestMemoryBytes = 64 << 10
    /// How long a connection may be silent.
    package var idleSeconds = 30
    /// How long each may take: the wait for a request line, the rest of the request, the sending of the answer.
    ///
    /// A client that drips is never idle; this cuts it. The time a handler takes does not count.
    package var phaseSeconds = 60.0

    package init() {}
}
