import CHiredis
import Glibc

/// One blocking connection to a Redis server, confined to whoever owns it.
///
/// hiredis leaves a context unusable after any error of transport or protocol, so such an error frees it at once
/// and every later call throws `StoreError/connectionLost(_:)`.
package struct RedisConnection: ~Copyable {
    private var context: UnsafeMutablePointer<redisContext>?
    private var stream = ReplyStream()

    /// Bounds of waiting, in milliseconds.
    package struct Timeouts: Sendable {
        package var connectMilliseconds: Int
        package var commandMilliseconds: Int

        package static let standard = Timeouts(connectMilliseconds: 2_000, commandMilliseconds: 15_000)

        package init(connectMilliseconds: Int, commandMilliseconds: Int) {
            self.connectMilliseconds = connectMilliseconds
            self.commandMilliseconds = commandMilliseconds
        }
    }

    /// Connects, authenticates and selects the database.
    ///
    /// - Throws: `unreachable`, `refused` (AUTH or SELECT), `unsupported` for a cluster or `embedded`, whose socket
    ///   only `EmbeddedStore` knows.
    package init(to url: StoreURL, timeouts: Timeouts = .standard) throws(StoreError) {
        let login: StoreURL.Login?
        let database: Int
        let opened: UnsafeMutablePointer<redisContext>
        switch url {
        case .embedded:
            throw .unsupported("the embedded store is reached through its own socket")
        case .cluster:
            throw .unsupported("redis-cluster:// is not in this version yet; use redis:// or the embedded store")
        case .tcp(let host, let port, let itsLogin, let itsDatabase):
            let made = redisConnectWithTimeout(host, Int32(port), timeval(timeouts.connectMilliseconds))
            opened = try RedisConnection.checked(made, address: url.description, timeouts: timeouts)
            (login, database) = (itsLogin, itsDatabase)
        case .unix(let path, let itsLogin, let itsDatabase):
            opened = try RedisConnection.open(unixSocket: path, timeouts: timeouts)
            (login, database) = (itsLogin, itsDatabase)
        }
        context = opened
        try enter(login, database)
    }

    /// Connects to a unix socket, however long its path.
    package init(unixSocket path: String, timeouts: Timeouts = .standard) throws(StoreError) {
        context = try RedisConnection.open(unixSocket: path, timeouts: timeouts)
    }

    private static func open(
        unixSocket path: String, timeouts: Timeouts
    ) throws(StoreError) -> UnsafeMutablePointer<redisContext> {
        // sun_path holds 107 bytes, and hiredis cuts what is longer; a descriptor of the folder makes any path short.
        guard path.utf8.count > 100, let slash = path.lastIndex(of: "/") else {
            let made = redisConnectUnixWithTimeout(path, timeval(timeouts.connectMilliseconds))
            return try checked(made, address: path, timeouts: timeouts)
        }
        let folder = slash == path.startIndex ? "/" : String(path[..<slash])
        guard let directory = Descriptor(opening: folder, flags: O_RDONLY | O_DIRECTORY) else {
            throw .unreachable(address: path, reason: systemErrorText())
        }
        let short = "/proc/self/fd/\(directory.number)/\(path[path.index(after: slash)...])"
        guard short.utf8.count <= 107 else {
            throw .unreachable(address: path, reason: "the socket's name is too long")
        }
        let made = redisConnectUnixWithTimeout(short, timeval(timeouts.connectMilliseconds))
        return try checked(made, address: path, timeouts: timeouts)
    }

    private static func checked(
        _ made: UnsafeMutablePointer<redisContext>?, address: String, timeouts: Timeouts
    ) throws(StoreError) -> UnsafeMutablePointer<redisContext> {
        guard let made else { throw .unreachable(address: address, reason: "no memory for a connection") }
        guard made.pointee.err == 0 else {
            let reason = RedisConnection.errorText(made)
            redisFree(made)
            throw .unreachable(address: address, reason: reason)
        }
        redisSetTimeout(made, timeval(timeouts.commandMilliseconds))
        // hiredis forgets this, and a restarted embedded server would inherit the socket.
        _ = fcntl(made.pointee.fd, F_SETFD, FD_CLOEXEC)
        return made
    }

    deinit {
        if let context { redisFree(context) }
    }

    package var isAlive: Bool { context != nil }

    /// Sends all commands in one go and waits for every reply, in order.
    ///
    /// An error reply is a reply. On a thrown error it is unknown which commands were carried out.
    package mutating func pipeline(_ commands: [[[UInt8]]]) throws(StoreError) -> [StoreReply] {
        try pipeline(commands.map { RedisCommand($0) })
    }

    package mutating func pipeline(_ commands: [RedisCommand]) throws(StoreError) -> [StoreReply] {
        guard let context else { throw .connectionLost("not connected") }
        for command in commands {
            let appended = command.bytes.withUnsafeBytes { raw in
                redisAppendFormattedCommand(context, raw.bindMemory(to: CChar.self).baseAddress, raw.count)
            }
            guard appended == REDIS_OK else { throw lost(context) }
        }
        var replies: [StoreReply] = []
        replies.reserveCapacity(commands.count)
        for _ in commands {
            var raw: UnsafeMutableRawPointer?
            guard redisGetReply(context, &raw) == REDIS_OK, let raw else { throw lost(context) }
            replies.append(RedisConnection.reply(raw.assumingMemoryBound(to: redisReply.self)))
            freeReplyObject(raw)
        }
        return replies
    }

    /// Sends reads, so many ahead of their replies, and takes the replies as they come: lists as `texts`.
    ///
    /// Nothing else may be under way. On a thrown error, also `answerTooLarge`, the connection is gone.
    package mutating func read(
        _ commands: [RedisCommand], ahead: Int, limitBytes: Int
    ) throws(StoreError) -> (replies: [StoreReply], weightBytes: Int) {
        guard let context else { throw .connectionLost("not connected") }
        var scanner = ReplyScanner(limitBytes: limitBytes, expecting: commands.count)
        var sent = 0
        while scanner.count < commands.count {
            while sent < commands.count, sent - scanner.count < ahead {
                let appended = commands[sent].bytes.withUnsafeBytes { raw in
                    redisAppendFormattedCommand(context, raw.bindMemory(to: CChar.self).baseAddress, raw.count)
                }
                guard appended == REDIS_OK else { throw lost(context) }
                sent += 1
            }
            var isWritten: Int32 = 0
            while isWritten == 0 {
                guard redisBufferWrite(context, &isWritten) == REDIS_OK else { throw lost(context) }
            }
            let fault: String?
            do throws(ReplyScanner.Fault) {
                let count = try scanner.take { room in
                    while true {
                        let count = recv(context.pointee.fd, room.baseAddress, room.count, 0)
                        if count >= 0 || errno != EINTR { return count }
                    }
                }
                fault =
                    count > 0
                    ? nil
                    : count == 0
                        ? "the store closed it" : errno == EAGAIN ? RedisConnection.timeoutText : systemErrorText()
            } catch .tooLarge {
                drop(context)
                throw .answerTooLarge(limitBytes: limitBytes)
            } catch {
                fault = "a reply makes no sense"
            }
            if let fault {
                drop(context)
                throw .connectionLost(fault)
            }
        }
        return (scanner.replies, scanner.weightBytes)
    }

    private mutating func drop(_ dead: UnsafeMutablePointer<redisContext>) {
        redisFree(dead)
        context = nil
    }

    /// One command, one reply.
    package mutating func send(_ command: RedisCommand) throws(StoreError) -> StoreReply {
        try pipeline([command])[0]
    }

    /// Lends itself, where it is kept as one that may be missing.
    mutating func use<Answer>(
        _ body: (inout RedisConnection) throws(StoreError) -> Answer
    ) throws(StoreError) -> Answer { try body(&self) }

    /// Sends the bytes of commands as they are; their replies are read by `receive`, every one of them, before
    /// anything else is sent.
    mutating func transmit(_ bytes: UnsafeRawBufferPointer) throws(StoreError) {
        guard let context else { throw .connectionLost("not connected") }
        var rest = bytes
        while !rest.isEmpty {
            let sent = Glibc.send(context.pointee.fd, rest.baseAddress, rest.count, Int32(MSG_NOSIGNAL))
            if sent < 0, errno == EINTR { continue }
            guard sent > 0 else {
                throw abandon(.connectionLost(errno == EAGAIN ? RedisConnection.timeoutText : systemErrorText()))
            }
            rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(sent))
        }
    }

    /// Reads replies to what `transmit` sent.
    mutating func receive<Answer>(
        _ body: (inout ReplyStream, _ descriptor: Int32) throws(StoreError) -> Answer
    ) throws(StoreError) -> Answer {
        guard let context else { throw .connectionLost("not connected") }
        do throws(StoreError) { return try body(&stream, context.pointee.fd) } catch { throw abandon(error) }
    }

    private mutating func abandon(_ error: StoreError) -> StoreError {
        if let context { redisFree(context) }
        context = nil
        return error
    }

    private mutating func enter(_ login: StoreURL.Login?, _ database: Int) throws(StoreError) {
        if let login {
            let command =
                login.user.isEmpty
                ? RedisCommand("AUTH", login.password) : RedisCommand("AUTH", login.user, login.password)
            try expectOK(command, named: "AUTH")
        }
        if database != 0 { try expectOK(RedisCommand("SELECT", "\(database)"), named: "SELECT \(database)") }
    }

    private mutating func expectOK(_ command: RedisCommand, named name: String) throws(StoreError) {
        if case .error(let text) = try send(command) { throw .refused(command: name, reply: text) }
    }

    /// Frees a context that is dead and says why it died.
    private mutating func lost(_ dead: UnsafeMutablePointer<redisContext>) -> StoreError {
        let reason = RedisConnection.errorText(dead)
        drop(dead)
        return .connectionLost(reason)
    }

    private static func errorText(_ context: UnsafeMutablePointer<redisContext>) -> String {
        let text = withUnsafeBytes(of: &context.pointee.errstr) { raw in
            String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self)
        }
        // What a receive timeout looks like through hiredis.
        return text == "Resource temporarily unavailable" ? timeoutText : text
    }

    /// What a lost connection says if the store was merely too slow.
    static let timeoutText = "no answer in time"

    static func reply(_ raw: UnsafeMutablePointer<redisReply>) -> StoreReply {
        let value = raw.pointee
        switch value.type {
        case REDIS_REPLY_INTEGER: return .integer(value.integer)
        case REDIS_REPLY_STATUS: return .status(String(decoding: bytes(value), as: UTF8.self))
        case REDIS_REPLY_ERROR: return .error(String(decoding: bytes(value), as: UTF8.self))
        case REDIS_REPLY_STRING: return .bytes(bytes(value))
        case REDIS_REPLY_ARRAY:
            guard let elements = value.element else { return .array([]) }
            return .array((0..<value.elements).map { elements[$0].map(reply) ?? .null })
        default: return .null
        }
    }

    private static func bytes(_ value: redisReply) -> [UInt8] {
        guard let start = value.str else { return [] }
        return Array(UnsafeRawBufferPointer(start: start, count: value.len))
    }
}

private func timeval(_ milliseconds: Int) -> timeval {
    Glibc.timeval(tv_sec: milliseconds / 1_000, tv_usec: milliseconds % 1_000 * 1_000)
}
