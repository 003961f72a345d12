import HailCore

/// What the store holds as the guard of a shard: the number of the last batch applied.
enum GuardValue: Equatable {
    case none
    case last(UInt64)
    case unreadable

    /// Reads what `GET` answered.
    init(_ bytes: [UInt8]?) {
        guard let bytes else {
            self = .none
            return
        }
        guard let number = Int64(String(decoding: bytes, as: UTF8.self)), number >= 0 else {
            self = .unreadable
            return
        }
        self = .last(UInt64(number))
    }

    /// What the flush script would answer to a batch, by the same rules; nil if it would apply it.
    func verdict(on sequence: UInt64, mode: FlushScript.Mode) -> FlushReply? {
        switch self {
        case .unreadable: return .broken("malformed: the guard does not read")
        case .none: return mode == .reverted || sequence == 1 ? nil : .missing
        case .last(let last):
            if sequence <= last { return .duplicate }
            if mode == .reverted || sequence == last + 1 { return nil }
            // A script answers the same to a guard of 0, and the agent stops the shard over it.
            return .gap(last: last)
        }
    }
}
