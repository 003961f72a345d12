internal import CIngest

/// The datagrams of one receive.
///
/// It and all it holds are valid only during the handler's call.
package struct DatagramBatch: ~Copyable {
    private let datagrams: UnsafeBufferPointer<ingest_datagram>

    init(_ datagrams: UnsafeBufferPointer<ingest_datagram>) { self.datagrams = datagrams }

    /// One datagram as it arrived.
    package struct Datagram {
        /// The payload; an empty datagram has none.
        package let bytes: UnsafeRawBufferPointer
        package let peer: PeerClass
        /// Whether its end is lost: it was longer than 65,536 bytes, which only a unix sender can do.
        package let isTruncated: Bool
    }

    /// 1…64.
    package var count: Int { datagrams.count }

    package subscript(index: Int) -> Datagram {
        let raw = datagrams[index]
        return Datagram(
            bytes: UnsafeRawBufferPointer(start: raw.bytes, count: Int(raw.count)),
            peer: PeerClass(rawValue: raw.peer) ?? .any, isTruncated: raw.is_truncated != 0)
    }
}
