/// Entries that are applied together: always, or only if a once-id is new in the shard.
package struct BatchGroup: Equatable, Sendable {
    package struct Condition: Hashable, Sendable {
        package let onceID: Digest
        /// Seconds the store remembers the once-id.
        package let keptSeconds: UInt32

        package init(onceID: Digest, keptSeconds: UInt32) {
            self.onceID = onceID
            self.keptSeconds = keptSeconds
        }
    }

    package var condition: Condition?
    package var entries: [BatchEntry]

    package init(condition: Condition?, entries: [BatchEntry]) {
        self.condition = condition
        self.entries = entries
    }
}
