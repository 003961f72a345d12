import HailAggregate
import HailCore
import HailNet
import HailStore

/// Readers of the values of options; each refuses what its option does not allow.
enum OptionValue {
    static func path(_ given: GivenOption) throws(Refusal) -> String {
        let text = try one(given)
        guard !text.isEmpty, !text.utf8.contains(0) else { throw Refusal() }
        return text
    }

    static func addresses(_ given: GivenOption) throws(Refusal) -> [SocketAddress] {
        if given.texts == ["none"] { return [] }
        var addresses: [SocketAddress] = []
        for text in given.texts {
            guard let address = try? SocketAddress(parsing: text) else { throw Refusal(shown: text) }
            if address.port == 0 {
                addresses.append(address)
            } else if addresses.contains(address) {
                throw Refusal(allowed: "each address once", shown: text)
            } else {
                addresses.append(address)
            }
        }
        guard !addresses.isEmpty else { throw Refusal() }
        return addresses
    }

    static func store(_ given: GivenOption) throws(Refusal) -> StoreURL {
        let text = try one(given)
        do throws(StoreError) {
            return try StoreURL(parsing: text)
        } catch {
            throw Refusal(shown: StoreURL.withoutPassword(text))
        }
    }

    /// Seconds with up to three decimals, as milliseconds.
    static func milliseconds(_ given: GivenOption, allowed: ClosedRange<Int>) throws(Refusal) -> Int {
        let halves = try one(given).split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard let whole = halves.first, let seconds = digits(whole, upTo: 5) else { throw Refusal() }
        var thousandths = 0
        if halves.count == 2 {
            guard let fraction = digits(halves[1], upTo: 3) else { throw Refusal() }
            thousandths = fraction * [100, 10, 1][halves[1].utf8.count - 1]
        }
        let milliseconds = seconds * 1_000 + thousandths
        guard allowed.contains(milliseconds) else { throw Refusal() }
        return milliseconds
    }

    static func whole(_ given: GivenOption, allowed: ClosedRange<Int>) throws(Refusal) -> Int {
        guard let number = digits(try one(given)[...], upTo: 18), allowed.contains(number) else { throw Refusal() }
        return number
    }

    static let bytesAllowed = "a whole number of bytes, or with K, M, G or T (powers of 1024), from 1M to 1024T"

    static func bytes(_ given: GivenOption) throws(Refusal) -> Int {
        var text = try one(given)[...]
        let shifts: [Character: Int] = ["K": 10, "M": 20, "G": 30, "T": 40]
        var shift = 0
        if let last = text.last, let unit = shifts[last] {
            shift = unit
            text.removeLast()
        }
        guard let number = digits(text, upTo: 16), number <= (1 << 50) >> shift, (number << shift) >= 1 << 20 else {
            throw Refusal()
        }
        return number << shift
    }

    static func choices<Choice: RawRepresentable<String> & CaseIterable>(_ type: Choice.Type) -> String {
        type.allCases.map(\.rawValue).joined(separator: ", ")
    }

    static func choice<Choice: RawRepresentable<String>>(_ given: GivenOption) throws(Refusal) -> Choice {
        guard let choice = Choice(rawValue: try one(given)) else { throw Refusal() }
        return choice
    }

    static func ladder(_ given: GivenOption) throws(Refusal) -> Ladder {
        do {
            return try Ladder(parsing: given.texts.joined(separator: ","))
        } catch {
            throw Refusal(allowed: sentence(error))
        }
    }

    /// The sketched resolutions; defaults that the ladder does not keep are left out, given ones are refused.
    static func sketches(_ given: GivenOption, of ladder: Ladder) throws(Refusal) -> [Resolution] {
        if given.texts == ["none"] { return [] }
        var sketches: [Resolution] = []
        for text in given.texts {
            let wanted: [Resolution]
            do {
                wanted = try Ladder(parsing: text).resolutions.filter { !$0.isAllTime }
            } catch {
                throw Refusal(allowed: sentence(error))
            }
            let kept = wanted.filter { ladder.resolutions.contains($0) && !sketches.contains($0) }
            guard kept.count == wanted.count || given.source == .standard else { throw Refusal(shown: text) }
            sketches += kept
        }
        guard !given.texts.isEmpty else { throw Refusal() }
        return sketches.sorted { $0.widthSeconds < $1.widthSeconds }
    }

    /// UTC, whose days are kept in any case, then the other zones by name.
    static func zones(_ given: GivenOption) throws(Refusal) -> [String] {
        guard (1...32).contains(given.texts.count), Set(given.texts).count == given.texts.count else { throw Refusal() }
        for text in given.texts where !ZoneFolder.isName(text) { throw Refusal(shown: text) }
        return ["UTC"] + Set(given.texts).subtracting(["UTC"]).sorted()
    }

    /// What would have been a ladder, and what stands in the way.
    static func sentence(_ error: LadderError) -> String {
        switch error {
        case .malformed(let item):
            "WIDTH:KEPT, such as 10s:1h, units s, m, h, d, w, mo, y; \(Log.quoted(item)) is none"
        case .tooLong(let item):
            "widths up to 366 days, kept up to 200 years; \(Log.quoted(item)) is longer"
        case .keptShorterThanWidth(let item):
            "resolutions kept at least as long as one bucket; \(Log.quoted(item)) is not"
        case .tooMany(let count):
            "up to 8 resolutions; these are \(count)"
        case .notNested(let fine, let coarse):
            fine == coarse
                ? "each width once; \(fine) seconds stand twice"
                : "widths that divide the next wider one; \(fine) does not divide \(coarse) seconds"
        case .noDays: "UTC alone where no --resolutions is a number of whole days"
        case .oddZone(let name, let offset, let finest):
            "zones whose offsets from UTC are multiples of the finest resolution; \(Log.quoted(name)) has one of "
                + "\(offset) seconds, the finest resolution is \(finest)"
        case .sharedKey(let name):
            "zones that have store keys of their own; \(Log.quoted(name)) shares one with another of these"
        }
    }

    /// Web origins as browsers send them: a scheme, a host, perhaps a port, and nothing after it.
    static func origins(_ given: GivenOption) throws(Refusal) -> [String] {
        var origins: [String] = []
        for text in given.texts {
            let origin = text.lowercased()
            guard let scheme = ["http://", "https://"].first(where: origin.hasPrefix) else {
                throw Refusal(shown: text)
            }
            let place = String(origin.dropFirst(scheme.count))
            guard HostPort.isHost(place) || HostPort(parsing: place) != nil else { throw Refusal(shown: text) }
            origins.append(origin)
        }
        return origins
    }

    static let viewsAllowed =
        "up to 16 lists of 2 to 7 different dimension names, each list at most 256 bytes when joined by ×"

    static func views(_ given: GivenOption) throws(Refusal) -> [[String]] {
        guard given.texts.count <= 16 else { throw Refusal() }
        var views: [[String]] = []
        for text in given.texts {
            let names = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
            let joined = names.joined(separator: Reserved.cross)
            guard (2...7).contains(names.count), Set(Name.path(names)).count == names.count,
                names.allSatisfy(isDimension), joined.utf8.count <= Limits.partBytes,
                !views.contains(where: { Name.path($0) == Name.path(names) })
            else { throw Refusal(shown: text) }
            views.append(names)
        }
        // In an order of their own: that in which they are given means nothing.
        return views.sorted { View($0) < View($1) }
    }

    /// Whether lines can hold a dimension of this name.
    static func isDimension(_ name: String) -> Bool {
        (1...Limits.partBytes).contains(name.utf8.count)
            && name != Reserved.overall && name != Reserved.other && !Reserved.isCrossed(name)
            && name.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
    }

    private static func one(_ given: GivenOption) throws(Refusal) -> String {
        guard given.texts.count == 1, let text = given.texts.first else { throw Refusal() }
        return text
    }

    private static func digits(_ text: Substring, upTo limit: Int) -> Int? {
        guard (1...limit).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return nil
        }
        return Int(text)
    }
}
