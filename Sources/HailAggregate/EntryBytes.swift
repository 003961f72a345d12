/// Bytes in the making, big-endian, in memory that is used again and again.
struct EntryBytes: ~Copyable {
    private var base: UnsafeMutableRawPointer
    private var capacity: Int
    private(set) var count = 0

    init(capacity: Int = 1 << 16) {
        self.capacity = capacity
        base = .allocate(byteCount: capacity, alignment: 16)
    }

    deinit { base.deallocate() }

    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }

    /// Makes room for so many bytes more; what is put after it must fit.
    mutating func reserve(_ room: Int) {
        guard count + room > capacity else { return }
        capacity = max(2 * capacity, count + room)
        let larger = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 16)
        larger.copyMemory(from: base, byteCount: count)
        base.deallocate()
        base = larger
    }

    mutating func removeAll() { count = 0 }

    mutating func put<Integer: FixedWidthInteger>(_ value: Integer) {
        let size = MemoryLayout<Integer>.size
        precondition(size <= capacity - count, "room is reserved")
        base.storeBytes(of: value.bigEndian, toByteOffset: count, as: Integer.self)
        count += size
    }

    mutating func put(_ bytes: [UInt8]) {
        precondition(bytes.count <= capacity - count, "room is reserved")
        bytes.withUnsafeBytes { raw in
            if let start = raw.baseAddress { (base + count).copyMemory(from: start, byteCount: raw.count) }
        }
        count += bytes.count
    }
}
