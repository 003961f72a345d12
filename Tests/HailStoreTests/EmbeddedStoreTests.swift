import Glibc
import Testing

@testable import HailStore

@Suite("Embedded store")
struct EmbeddedStoreTests {
    @Test("starts, keeps what it was given over a clean stop, and is durable")
    func startsAndStops() throws {
        let store = try TestStore()
        var connection = try store.connector.connect()
        #expect(try StorePolicy.check(over: &connection).isDurable)
        #expect(try connection.send(RedisCommand("SET", "k", "v")) == .status("OK"))
        let server = try store.processID()
        #expect(store.embedded.stop())
        #expect(kill(server, 0) != 0)
        #expect(try store.embedded.ensureRunning() == .started)
        #expect(try store.run("GET", "k") == .bytes([0x76]))
    }

    @Test("is in a session of its own and adopted by the next agent, which may also stop it")
    func adopted() throws {
        let store = try TestStore()
        let server = try store.processID()
        #expect(getsid(server) == server)
        // A lock belongs to the open file, so a second owner in this process sees what a second process would.
        let next = EmbeddedStore(folder: store.folder.path)
        #expect(try next.ensureRunning() == .adopted)
        #expect(try store.processID() == server)
        #expect(next.stop())
        #expect(kill(server, 0) != 0 || store.embedded.stop())
    }

    @Test("is not started again once it was ended")
    func ended() throws {
        let store = try TestStore()
        let server = try store.processID()
        #expect(store.embedded.end(within: 20))
        #expect(kill(server, 0) != 0)
        #expect(throws: StoreError.serverFailed(reason: "the agent is stopping", log: "")) {
            try store.embedded.ensureRunning()
        }
    }

    @Test("that hangs is left alone in time")
    func hanging() throws {
        let store = try TestStore()
        let server = try store.processID()
        kill(server, SIGSTOP)
        #expect(!store.embedded.end(within: 0.2))
        kill(server, SIGCONT)
        #expect(EmbeddedStore(folder: store.folder.path).stop())
    }

    @Test("comes back with everything after it was killed")
    func killed() throws {
        let store = try TestStore()
        try store.run("SET", "k", "v")
        let server = try store.processID()
        kill(server, SIGKILL)
        // Until the kernel has let go of the lock the dead server looks alive.
        while (try? store.processID()) == server { usleep(1_000) }
        #expect(try store.embedded.ensureRunning() == .started)
        #expect(try store.run("GET", "k") == .bytes([0x76]))
        #expect(try store.processID() != server)
    }

    @Test("works under a path far longer than a socket's name may be")
    func longPath() throws {
        let folder = try TestFolder()
        let data = try DataFolder(opening: folder.path + "/" + String(repeating: "d", count: 150))
        let embedded = EmbeddedStore(folder: data.storePath)
        #expect(try embedded.ensureRunning() == .started)
        var connection = try StoreConnector(url: .embedded, embedded: embedded).connect()
        #expect(try connection.send(RedisCommand("PING")) == .status("PONG"))
        #expect(embedded.stop())
    }

    @Test("says when there is no redis-server, and what one said that ended at once")
    func failures() throws {
        let folder = try TestFolder()
        #expect(throws: StoreError.serverNotInstalled) {
            try EmbeddedStore(folder: folder.path, program: "no-such-redis-server").ensureRunning()
        }
        let failure = #expect(throws: StoreError.self) {
            try EmbeddedStore(folder: folder.path, program: "ls").ensureRunning()
        }
        guard case .serverFailed(_, let log) = failure else {
            Issue.record("it failed with \(String(describing: failure))")
            return
        }
        #expect(log.contains("--port"))
        #expect(throws: StoreError.self) { try EmbeddedStore(folder: folder.path + "/none").ensureRunning() }
    }

    @Test("stopping what does not run is no work")
    func stopNothing() throws {
        let folder = try TestFolder()
        #expect(EmbeddedStore(folder: folder.path).stop(within: 1))
    }
}

@Suite("Data folder")
struct DataFolderTests {
    @Test("is made for its owner alone, with what belongs in it")
    func made() throws {
        let folder = try TestFolder()
        let data = try DataFolder(opening: folder.path + "/a/b/")
        #expect(data.path == folder.path + "/a/b")
        for path in [data.path, data.spoolPath, data.storePath] {
            var status = stat()
            #expect(stat(path, &status) == 0)
            #expect(status.st_mode & 0o777 == 0o700)
        }
    }

    @Test("is refused to a second agent while the first lives")
    func locked() throws {
        let folder = try TestFolder()
        var first: DataFolder? = try DataFolder(opening: folder.path)
        #expect(first?.path == folder.path)
        #expect(throws: StoreError.folderInUse(path: folder.path, holder: "process \(getpid())")) {
            try DataFolder(opening: folder.path)
        }
        first = nil
        // A child that another test starts at this moment has the lock open until it becomes its program.
        while (try? DataFolder(opening: folder.path)) == nil { usleep(1_000) }
    }

    @Test(
        "refuses a name that cannot be a folder", arguments: ["", "/proc/none/x", "/dev/null", "/dev/null/x", "a\0b"])
    func refused(path: String) {
        #expect(throws: StoreError.self) { try DataFolder(opening: path) }
    }
}
