package import HailCore

/// The contents of a window as the spool keeps them: series by identity, with their sums, so that a restart can work
/// out the cells anew.
///
/// Big-endian; `protocol/redis.md` describes it.
package struct WindowBody: Equatable, Sendable {
    package struct Series: Equatable, Sendable {
        package var identity: [UInt8]
        /// Unix seconds of the finest bucket, for values that came with a time of their own.
        package var timeSeconds: Int64?
        /// Millionths by slot.
        package var sums: [Int128]
        /// In the order they came; their `series` means nothing here.
        package var samples: [WindowSums.Sample]

        package init(
            identity: [UInt8], timeSeconds: Int64?, sums: [Int128], samples: [WindowSums.Sample] = []
        ) {
            self.identity = identity
            self.timeSeconds = timeSeconds
            self.sums = sums
            self.samples = samples
        }
    }

    package var condition: BatchGroup.Condition?
    /// Seconds of the buckets that the times of a merged body begin; 0: of the finest resolution.
    package var widthSeconds: Int64
    package var series: [Series]

    package init(condition: BatchGroup.Condition?, widthSeconds: Int64 = 0, series: [Series]) {
        self.condition = condition
        self.widthSeconds = widthSeconds
        self.series = series
    }

    private static let version: UInt8 = 1
    /// A merged body: its width follows.
    private static let mergedVersion: UInt8 = 2

    package var encoded: [UInt8] {
        var out = ByteWriter()
        out.put(widthSeconds == 0 ? WindowBody.version : WindowBody.mergedVersion)
        if widthSeconds != 0 { out.put(UInt32(clamping: widthSeconds)) }
        out.put(UInt8(condition == nil ? 0 : 1))
        if let condition {
            out.put(condition.onceID)
            out.put(condition.keptSeconds)
        }
        out.put(UInt32(series.count))
        for item in series {
            out.put(UInt32(item.identity.count))
            out.put(item.identity)
            out.put(item.timeSeconds ?? ScannedLine.noTime)
            out.put(UInt16(item.sums.count))
            for sum in item.sums { out.put(sum) }
            out.put(UInt32(item.samples.count))
            for sample in item.samples {
                out.put(sample.slot)
                out.put(UInt8(sample.isMove ? 1 : 0))
                out.put(sample.value)
                out.put(sample.extra)
                out.put(sample.startSeconds)
            }
        }
        return out.bytes
    }

    /// Reads what `encoded` wrote; nil for anything else.
    package init?(decoding bytes: [UInt8]) {
        var input = ByteReader(bytes[...])
        guard let version = input.uint8(), version == WindowBody.version || version == WindowBody.mergedVersion
        else { return nil }
        widthSeconds = 0
        if version == WindowBody.mergedVersion {
            guard let width = input.uint32(), width > 0 else { return nil }
            widthSeconds = Int64(width)
        }
        guard let mark = input.uint8(), mark <= 1 else { return nil }
        condition = nil
        if mark == 1 {
            guard let onceID = input.digest(), let kept = input.uint32() else { return nil }
            condition = BatchGroup.Condition(onceID: onceID, keptSeconds: kept)
        }
        guard let count = input.uint32(), Int(count) <= input.remaining / 18 else { return nil }
        series = []
        series.reserveCapacity(Int(count))
        for _ in 0..<count {
            guard let length = input.uint32(), let identity = input.bytes(Int(length)),
                let time = input.uint64(), let slotCount = input.uint16()
            else { return nil }
            var sums: [Int128] = []
            for _ in 0..<slotCount {
                guard let high = input.uint64(), let low = input.uint64() else { return nil }
                sums.append(Int128(truncatingIfNeeded: UInt128(high) << 64 | UInt128(low)))
            }
            guard let samples = WindowBody.samples(&input) else { return nil }
            let seconds = Int64(bitPattern: time)
            series.append(
                Series(
                    identity: identity, timeSeconds: seconds == ScannedLine.noTime ? nil : seconds, sums: sums,
                    samples: samples))
        }
        guard input.remaining == 0 else { return nil }
    }

    private static func samples(_ input: inout ByteReader) -> [WindowSums.Sample]? {
        guard let count = input.uint32(), Int(count) <= input.remaining / 27 else { return nil }
        var samples: [WindowSums.Sample] = []
        samples.reserveCapacity(Int(count))
        for _ in 0..<count {
            guard let slot = input.uint16(), let mark = input.uint8(), mark <= 1, let value = input.uint64(),
                let extra = input.uint64(), let start = input.uint64()
            else { return nil }
            samples.append(
                WindowSums.Sample(
                    series: 0, slot: slot, isMove: mark == 1, value: Int64(bitPattern: value),
                    extra: Int64(bitPattern: extra), startSeconds: Int64(bitPattern: start)))
        }
        return samples
    }
}
