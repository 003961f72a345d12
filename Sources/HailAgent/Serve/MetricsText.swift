import HailCore
import HailNet

/// The agent's own state in Prometheus' text format, version 0.0.4.
struct MetricsText {
    private var text = ""

    /// What is measured rather than counted.
    struct Gauges: Sendable {
        var series = 0
        var isStoreUp = false
        var isStoreDurable = false
        var doesStoreAgree = true
        var spoolBytes = 0
        var version = ""
    }

    static func render(_ snapshot: LedgerSnapshot, gauges: Gauges) -> String {
        var page = MetricsText()
        let counts = snapshot.counts
        page.counter("datagrams_total", "Datagrams and bodies of lines received.") { sample in
            for transport in Transport.allCases {
                sample(["transport": transport.rawValue], counts.datagrams[transport] ?? 0)
            }
        }
        page.counter(
            "datagrams_kernel_dropped_total", "Datagrams the kernel dropped before they were read.",
            counts.kernelDropped)
        page.counter("lines_total", "Lines by outcome.") { sample in
            sample(["outcome": "accepted"], counts.linesAccepted)
            sample(["outcome": "rejected"], counts.linesRejected)
        }
        page.counter("rejected_total", "Lines refused, by reason.") { sample in
            for reason in LineError.allCases {
                sample(["reason": reason.rawValue], counts.rejected[reason] ?? 0)
            }
        }
        page.counter("sealed_total", "Sealed frames by key and outcome.") { sample in
            sample(["key": "_", "outcome": "unknown_key"], counts.sealedUnknownKey)
        }
        page.counter("events_accepted_total", "Events taken in.", counts.eventsAccepted)
        page.counter("events_stored_total", "Events wholly in the store.", counts.eventsStored)
        page.counter("events_used_total", "Events whose once-id had been seen before.", counts.eventsUsed)
        page.gauge("events_pending", "Events in open, closed and unacknowledged windows.", "\(snapshot.pendingEvents)")
        page.counter("events_lost_total", "Events of which a part was lost, by reason.") { sample in
            for reason in LossReason.allCases { sample(["reason": reason.rawValue], counts.eventsLost[reason] ?? 0) }
        }
        page.counter(
            "events_reverted_total", "Events stored with batches that the store lost after it had acknowledged them.",
            counts.eventsReverted)
        page.counter("cells_dead_total", "Cells the store refused, by reason.") { sample in
            for (reason, count) in counts.cellsDead.sorted(by: { $0.key < $1.key }) {
                sample(["reason": reason], count)
            }
        }
        page.gauge("series", "Series held in memory.", "\(gauges.series)")
        page.counter(
            "series_overflow_total", "Lines and series counted under a shorter name because of --max-series.",
            counts.seriesOverflow + counts.seriesFolded)
        page.counter(
            "values_folded_total", "Refused values, once a flush that counted some of one as __other__.",
            counts.valuesFolded)
        page.counter(
            "cells_coarsened_total", "Cells given up for coarser ones at the pending limit.", counts.cellsCoarsened)
        page.counter("batches_total", "Batches by outcome.") { sample in
            for outcome in ["applied", "duplicate", "retried", "resent"] {
                sample(["outcome": outcome], counts.batches[outcome] ?? 0)
            }
        }
        page.counter("cells_flushed_total", "Cells the store acknowledged.", counts.cellsFlushed)
        page.histogram("flush_seconds", "Time the store took for a flush.", counts.flushSeconds)
        page.gauge("store_up", "Whether the store answers.", gauges.isStoreUp ? "1" : "0")
        page.gauge(
            "store_durable", "Whether the store keeps what it acknowledged over a crash.",
            gauges.isStoreDurable ? "1" : "0")
        page.gauge(
            "store_agrees", "Whether the store still has the settings that this agent counts by.",
            gauges.doesStoreAgree ? "1" : "0")
        page.gauge("spool_bytes", "Bytes of the spool.", "\(gauges.spoolBytes)")
        page.counter("spool_errors_total", "Records the spool could not take.", counts.spoolErrors)
        page.counter("http_requests_total", "HTTP requests by path and status.") { sample in
            let sorted = counts.httpRequests.sorted { ($0.key.path, $0.key.status) < ($1.key.path, $1.key.status) }
            for (label, count) in sorted { sample(["path": label.path, "status": "\(label.status)"], count) }
        }
        page.counter("http_cut_total", "Connections ended for being slow, by what they were slow in.") { sample in
            for cut in HTTPCut.allCases { sample(["phase": cut.rawValue], counts.httpCuts[cut] ?? 0) }
        }
        page.gauge("build_info", "The version.", "1", labels: ["version": gauges.version])
        return page.text
    }

    // MARK: Lines

    private typealias Sample = (_ labels: KeyValuePairs<String, String>, _ value: UInt64) -> Void

    private mutating func head(_ name: String, _ help: String, _ type: String) {
        text += "# HELP hailwhale_\(name) \(help)\n# TYPE hailwhale_\(name) \(type)\n"
    }

    private mutating func counter(_ name: String, _ help: String, _ value: UInt64) {
        head(name, help, "counter")
        text += "hailwhale_\(name) \(value)\n"
    }

    private mutating func counter(_ name: String, _ help: String, samples: (Sample) -> Void) {
        head(name, help, "counter")
        var lines = ""
        samples { labels, value in lines += "hailwhale_\(name)\(MetricsText.text(of: labels)) \(value)\n" }
        text += lines
    }

    private mutating func gauge(
        _ name: String, _ help: String, _ value: String, labels: KeyValuePairs<String, String> = [:]
    ) {
        head(name, help, "gauge")
        text += "hailwhale_\(name)\(MetricsText.text(of: labels)) \(value)\n"
    }

    private mutating func histogram(_ name: String, _ help: String, _ histogram: Histogram) {
        head(name, help, "histogram")
        for (place, bound) in Histogram.bounds.enumerated() {
            text += "hailwhale_\(name)_bucket{le=\"\(bound)\"} \(histogram.cumulative[place])\n"
        }
        let count = histogram.cumulative[Histogram.bounds.count]
        text += "hailwhale_\(name)_bucket{le=\"+Inf\"} \(count)\n"
        text += "hailwhale_\(name)_sum \(histogram.sum)\nhailwhale_\(name)_count \(count)\n"
    }

    private static func text(of labels: KeyValuePairs<String, String>) -> String {
        guard !labels.isEmpty else { return "" }
        return "{" + labels.map { "\($0.key)=\"\($0.value)\"" }.joined(separator: ",") + "}"
    }
}
