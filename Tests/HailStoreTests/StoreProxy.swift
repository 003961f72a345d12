import Dispatch
import Glibc
import Synchronization
import Testing

@testable import HailStore

/// Stands between a writer and a store, passes everything on, and does one thing at one place of what is sent.
///
/// `@unchecked Sendable`: the descriptors belong to its one thread, but for the closing end.
final class StoreProxy: @unchecked Sendable {
    enum Action {
        /// Breaks the connection before the place.
        case cut
        /// Passes on so many bytes behind the place, then breaks the connection.
        case cutBehind(Int)
        /// Passes everything on, and breaks the connection instead of bringing the answer to what is at the place.
        case swallowAnswer
        /// Does something before what is at the place goes on.
        case run(@Sendable () -> Void)
    }

    let path: String
    private let upstream: String
    private let place: [UInt8]
    private let action: Action
    private let listener: Int32
    private let hasActed = Atomic(false)
    private let isClosed = Atomic(false)

    init(_ store: TestStore, folder: TestFolder, at place: String, _ action: Action) throws {
        path = folder.path + "/proxy.sock"
        upstream = store.embedded.socketPath
        self.place = Array(place.utf8)
        self.action = action
        listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        let bound = StoreProxy.withAddress(path) { bind(listener, $0, $1) }
        try #require(bound == 0 && listen(listener, 8) == 0)
        Thread { self.serve() }
    }

    /// Whether the place was met.
    var isDone: Bool { hasActed.load(ordering: .sequentiallyConsistent) }

    var connector: StoreConnector { StoreConnector(url: .unix(path: path, login: nil, database: 0)) }

    func close() {
        isClosed.store(true, ordering: .sequentiallyConsistent)
        shutdown(listener, Int32(SHUT_RDWR))
    }

    private func serve() {
        while !isClosed.load(ordering: .sequentiallyConsistent) {
            let client = accept(listener, nil, nil)
            guard client >= 0 else { break }
            let server = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
            if StoreProxy.withAddress(upstream, { connect(server, $0, $1) }) == 0 { pass(client, server) }
            _ = Glibc.close(client)
            _ = Glibc.close(server)
        }
        _ = Glibc.close(listener)
    }

    private func pass(_ client: Int32, _ server: Int32) {
        var isSwallowing = false
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            var ready = [pollfd(fd: client, events: Int16(POLLIN), revents: 0)]
            ready.append(pollfd(fd: server, events: Int16(POLLIN), revents: 0))
            guard poll(&ready, 2, 30_000) > 0 else { return }
            if ready[1].revents != 0 {
                let got = read(server, &buffer, buffer.count)
                if got <= 0 || isSwallowing { return }
                guard send(buffer[..<got], to: client) else { return }
            }
            if ready[0].revents != 0 {
                let got = read(client, &buffer, buffer.count)
                guard got > 0 else { return }
                let bytes = buffer[..<got]
                guard !isDone, let at = bytes.firstRange(of: place)?.lowerBound else {
                    guard send(bytes, to: server) else { return }
                    continue
                }
                guard send(bytes[..<at], to: server) else { return }
                hasActed.store(true, ordering: .sequentiallyConsistent)
                switch action {
                case .cut: return
                case .cutBehind(let count):
                    _ = send(bytes[at...].prefix(count), to: server)
                    return
                case .swallowAnswer: isSwallowing = true
                case .run(let body): body()
                }
                guard send(bytes[at...], to: server) else { return }
            }
        }
    }

    private func send(_ bytes: ArraySlice<UInt8>, to descriptor: Int32) -> Bool {
        var rest = bytes
        while !rest.isEmpty {
            let sent = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            guard sent > 0 else { return false }
            rest = rest.dropFirst(sent)
        }
        return true
    }

    private static func withAddress(
        _ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { raw in
            for (place, byte) in path.utf8.prefix(raw.count - 1).enumerated() { raw[place] = byte }
        }
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}

/// A thread that waits in system calls, which no queue should.
private struct Thread {
    @discardableResult
    init(_ body: @escaping @Sendable () -> Void) {
        let queue = DispatchQueue(label: "store-proxy", attributes: .concurrent)
        queue.async(execute: body)
    }
}
