/// Why events were lost after they had been accepted: `hailwhale_events_lost_total{reason="…"}`.
enum LossReason: String, CaseIterable, Sendable {
    /// The store was away for longer than `--pending-limit` could hold.
    case pendingFull = "pending_full"
    /// A window in the spool of an earlier start could not be read.
    case spoolCorrupt = "spool_corrupt"
    /// A batch's bytes were gone from memory and from the spool before the store had them.
    case spoolLost = "spool_lost"
    /// The agent was told to stop while the spool could not take what the store had not taken.
    case stopped
}
