import Dispatch
import HailNet

/// Puts another configuration into the agent that runs, as far as that goes.
///
/// Confined to the queue of the signals.
///
/// `@unchecked Sendable`: `running` is touched there only.
final class Reload: @unchecked Sendable {
    let report = Current(ReloadReport())
    let rules: Current<CallerRules>
    private let addresses: [SocketAddress]
    private let lanes: [Lane]
    private let flusher: Flusher
    private let log: Log
    /// What holds: the options of the start, and over them what reloads have changed.
    private var running: AgentOptions

    init(_ options: AgentOptions, addresses: [SocketAddress], lanes: [Lane], flusher: Flusher, log: Log) {
        running = options
        self.addresses = addresses
        rules = Current(CallerRules(options, addresses: addresses))
        self.lanes = lanes
        self.flusher = flusher
        self.log = log
    }

    /// Reads the options again and has what may change change; options that are wrong change nothing.
    func perform(_ reread: Surroundings.Reread) {
        let wanted: AgentOptions
        do throws(OptionError) { wanted = try reread() } catch {
            log.error("the configuration is refused; what ran before goes on", ["error": error])
            report.value.atSeconds = WallClock.seconds
            report.value.error = "\(error)"
            return
        }
        let changes = RunOption.all.filter { !$0.isSame(running, wanted) }
        for option in changes {
            let fields: Log.Fields = [
                "option": option.name, "old": option.shown(in: running), "new": option.shown(in: wanted),
            ]
            switch option.change {
            case .reload: log.info("an option changed", fields)
            case .restart: log.warning("an option changes with the next start only", fields)
            case .store: log.warning("an option belongs to the store: restart with --migrate to change it", fields)
            }
        }
        let live = changes.filter { $0.change == .reload }
        if !live.isEmpty { change(live, to: wanted) }
        log.info("configuration read again", ["changed": live.count, "waiting": changes.count - live.count])
        report.value = ReloadReport(
            atSeconds: WallClock.seconds, waiting: changes.filter { $0.change != .reload }.map(\.name))
    }

    private func change(_ live: [RunOption], to wanted: AgentOptions) {
        let isRenewing = live.contains { $0.name == "drop_dimensions" }
        for option in live { option.copy(wanted, &running) }
        let options = running
        log.level = options.logLevel
        rules.value = CallerRules(options, addresses: addresses)
        // The flush queue first: series that lanes meet anew then find there what is to be forgotten.
        flusher.change(options)
        for lane in lanes {
            lane.queue.async {
                lane.change(plain: options.plain, gaugeSign: options.gaugeSign, renewing: isRenewing)
            }
        }
    }
}
