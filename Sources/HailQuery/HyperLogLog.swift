/// A HyperLogLog as Redis keeps it in a string: 16,384 registers, each the longest run seen of a part of its members.
///
/// Registers are 6 bits wide, either all of them packed (dense) or as runs of equal ones (sparse). What is read stays as
/// it is stored until it is merged with another.
struct HyperLogLog: Sendable {
    private enum Form: Sendable {
        case stored(ArraySlice<UInt8>, isDense: Bool)
        case registers([UInt8])
    }

    private var form: Form

    /// Bits of a member's hash that choose its register.
    private static let indexBits = 14
    private static let registerCount = 1 << indexBits
    /// The bits that are left, of which a run is counted.
    private static let runBits = 64 - indexBits
    /// "HYLL", the encoding, three bytes unused, eight bytes of a cached count.
    private static let headerBytes = 16
    private static let denseBytes = registerCount * 6 / 8

    /// One that has no members.
    init() { form = .registers([UInt8](repeating: 0, count: HyperLogLog.registerCount)) }

    /// Reads the string; nil where it is none.
    init?(stored bytes: [UInt8]) {
        guard bytes.count >= HyperLogLog.headerBytes, bytes.starts(with: "HYLL".utf8) else { return nil }
        let body = bytes[HyperLogLog.headerBytes...]
        switch bytes[4] {
        case 0:
            guard body.count >= HyperLogLog.denseBytes else { return nil }
            form = .stored(body.prefix(HyperLogLog.denseBytes), isDense: true)
        case 1:
            form = .stored(body, isDense: false)
            var registers = 0
            guard HyperLogLog.runs(of: body, take: { registers += $1 }), registers == HyperLogLog.registerCount
            else { return nil }
        default: return nil
        }
    }

    /// Walks the runs of the sparse form, each a value and how many registers have it; false where the bytes end
    /// within one.
    ///
    /// `00nnnnnn` is n + 1 zeros, `01nnnnnn nnnnnnnn` the same with 14 bits, `1vvvvvnn` n + 1 registers of v + 1.
    private static func runs(of bytes: ArraySlice<UInt8>, take: (_ value: UInt8, _ count: Int) -> Void) -> Bool {
        var index = bytes.startIndex
        while index < bytes.endIndex {
            let byte = bytes[index]
            index += 1
            switch byte >> 6 {
            case 0: take(0, Int(byte) + 1)
            case 1:
                guard index < bytes.endIndex else { return false }
                take(0, (Int(byte & 0x3F) << 8 | Int(bytes[index])) + 1)
                index += 1
            default: take((byte >> 2 & 0x1F) + 1, Int(byte & 3) + 1)
            }
        }
        return true
    }

    /// The registers, one a byte.
    private var registers: [UInt8] {
        switch form {
        case .registers(let registers): return registers
        case .stored(let bytes, isDense: false):
            var registers: [UInt8] = []
            registers.reserveCapacity(HyperLogLog.registerCount)
            _ = HyperLogLog.runs(of: bytes) { registers.append(contentsOf: repeatElement($0, count: $1)) }
            return registers
        case .stored(let bytes, isDense: true):
            // Four registers lie in three bytes, the first in the lowest bits.
            var registers: [UInt8] = []
            registers.reserveCapacity(HyperLogLog.registerCount)
            var index = bytes.startIndex
            while index + 2 < bytes.endIndex {
                var packed = UInt32(bytes[index]) | UInt32(bytes[index + 1]) << 8 | UInt32(bytes[index + 2]) << 16
                for _ in 0..<4 {
                    registers.append(UInt8(truncatingIfNeeded: packed & 0x3F))
                    packed >>= 6
                }
                index += 3
            }
            return registers
        }
    }

    /// The union: of every register the larger.
    mutating func merge(_ other: HyperLogLog) {
        var own = registers
        for (index, register) in other.registers.enumerated() where register > own[index] { own[index] = register }
        form = .registers(own)
    }

    /// Adds members of eight bytes, given as the numbers they are little-endian.
    mutating func insert(_ members: some Sequence<UInt64>) {
        var own = registers
        for member in members {
            let hash = HyperLogLog.hash(member)
            let index = Int(truncatingIfNeeded: hash) & (HyperLogLog.registerCount - 1)
            let rest = hash >> UInt64(HyperLogLog.indexBits) | 1 << UInt64(HyperLogLog.runBits)
            own[index] = max(own[index], UInt8(rest.trailingZeroBitCount + 1))
        }
        form = .registers(own)
    }

    /// MurmurHash64A (Austin Appleby) of eight bytes, with the seed that Redis uses.
    private static func hash(_ member: UInt64) -> UInt64 {
        let factor: UInt64 = 0xC6A4_A793_5BD1_E995
        func mixed(_ number: UInt64) -> UInt64 { number ^ number >> 47 }
        var hash = 0xADC8_3B19 ^ (8 &* factor)
        hash = (hash ^ mixed(member &* factor) &* factor) &* factor
        return mixed(mixed(hash) &* factor)
    }

    /// How many members it has had, not rounded.
    ///
    /// The improved raw estimator of Otmar Ertl, "New cardinality estimation algorithms for HyperLogLog sketches"
    /// (2017), algorithm 6: it needs no correction for few members or for many.
    var estimate: Double {
        var histogram = [Int](repeating: 0, count: HyperLogLog.runBits + 2)
        for register in registers { histogram[min(Int(register), HyperLogLog.runBits + 1)] += 1 }
        let size = Double(HyperLogLog.registerCount)
        var harmonic = size * HyperLogLog.tau(1 - Double(histogram[HyperLogLog.runBits + 1]) / size)
        for count in histogram[1...HyperLogLog.runBits].reversed() { harmonic = (harmonic + Double(count)) / 2 }
        harmonic += size * HyperLogLog.sigma(Double(histogram[0]) / size)
        // The limit of the bias for many registers: 1/(2·ln 2).
        return 0.721_347_520_444_481_7 * size * size / harmonic
    }

    /// σ(x) = x + Σ x^(2^k)·2^(k−1), of registers that saw nothing.
    private static func sigma(_ share: Double) -> Double {
        guard share < 1 else { return .infinity }
        var (power, weight, sum) = (share, 1.0, share)
        while true {
            power *= power
            let next = sum + power * weight
            guard next != sum else { return sum }
            sum = next
            weight *= 2
        }
    }

    /// τ(x) = (1 − x − Σ (1 − x^(2^−k))²·2^(−k))/3, of registers that are full.
    private static func tau(_ share: Double) -> Double {
        guard share > 0, share < 1 else { return 0 }
        var (root, weight, sum) = (share, 1.0, 1 - share)
        while true {
            root = root.squareRoot()
            weight /= 2
            let next = sum - (1 - root) * (1 - root) * weight
            guard next != sum else { return sum / 3 }
            sum = next
        }
    }
}
