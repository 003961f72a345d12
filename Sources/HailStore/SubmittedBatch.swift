/// A numbered batch handed over to be put into the store.
package struct SubmittedBatch: Sendable {
    package let header: BatchHeader
    /// `Batch.encoded`.
    package let bytes: [UInt8]
    /// Where the spool has it; nil if it could not be written there.
    package let location: SpoolLocation?

    package init(header: BatchHeader, bytes: [UInt8], location: SpoolLocation?) {
        self.header = header
        self.bytes = bytes
        self.location = location
    }
}
