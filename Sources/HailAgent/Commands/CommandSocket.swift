import HailNet

/// The commands' way to an agent, over the same sockets that tests and other programs use.
///
/// `@unchecked Sendable`: a command is single-threaded, and only it sends.
final class CommandSocket: @unchecked Sendable {
    private var sender: DatagramSender

    init(to target: DatagramTarget) throws(SystemError) {
        do throws(NetError) {
            sender = try DatagramSender(to: try SocketAddress.resolving(target.text))
        } catch {
            throw SystemError(reason: error.description)
        }
    }

    /// Sends one datagram.
    ///
    /// An agent that is not there shows with the next one, as the kernel hears of it late.
    func send(_ bytes: [UInt8]) throws(SystemError) {
        let refused = sender.refusedCount
        do throws(NetError) { try sender.send(bytes) } catch { throw SystemError(reason: error.description) }
        if sender.refusedCount > refused { throw SystemError(reason: "nobody listens at \(sender.address)") }
    }

    /// One GET to an agent.
    static func get(_ agent: AgentURL, _ target: String) throws(SystemError) -> FetchAnswer {
        do throws(NetError) {
            let answer = try HTTPFetch(try SocketAddress.resolving(agent.authority)).get(target)
            return FetchAnswer(status: answer.status, body: answer.body)
        } catch {
            throw SystemError(reason: error.description)
        }
    }
}
