import HailCore

/// The words and forms that periods are written in; `protocol/http.md` lists them for users.
enum PeriodGrammar {
    /// What an error says is allowed.
    static let allowed = """
        write WIDTH:LENGTH such as 5m:1d (units s, m, h, d, w, mo, y), one of hour, day, 24h, seven, thirty, year, \
        today, yesterday, wtd, mtd, ytd, all, a range of days such as 1/31/2026-2/28/2026, or FROM-UNTIL in Unix seconds.
        """

    private static let names: [String: Period.Shape] = [
        "hour": .rolling(.seconds(60), count: 60),
        "day": .rolling(.seconds(3_600), count: 24),
        "24h": .rolling(.seconds(3_600), count: 24),
        "seven": .rolling(.seconds(86_400), count: 7),
        "thirty": .rolling(.seconds(86_400), count: 30),
        "year": .rolling(.seconds(86_400), count: 365),
        "today": .today,
        "yesterday": .yesterday,
        "wtd": .weekToDate,
        "mtd": .monthToDate,
        "ytd": .yearToDate,
        "all": .all,
    ]

    /// The widest point and the longest length: two hundred years.
    private static let longestSeconds: Int64 = 200 * 366 * 86_400

    /// What a text means, or nil where it means nothing.
    static func shape(of text: Substring, parameter: String) throws(QueryError) -> Period.Shape? {
        if let shape = names[text.lowercased()] { return shape }
        if let halves = halves(of: text, at: ":") { return try rolling(halves.0, halves.1, parameter) }
        guard let halves = halves(of: text, at: "-") else { return nil }
        let shape: Period.Shape
        let points: Int64
        if let first = date(halves.0), let last = date(halves.1) {
            shape = .days(first, last)
            points = last.dayNumber - first.dayNumber + 1
        } else if let from = digits(halves.0), let until = digits(halves.1) {
            shape = .range(from: from, until: until)
            points = until > from ? 1 : 0
        } else {
            return nil
        }
        guard points > 0 else {
            throw QueryError(.badPeriod, parameter, "\(quoted(text)) ends before it begins.")
        }
        try check(points: points, text, parameter)
        return shape
    }

    private static func rolling(
        _ widthText: Substring, _ lengthText: Substring, _ parameter: String
    ) throws(QueryError) -> Period.Shape? {
        guard let width = seconds(widthText), let length = seconds(lengthText) else { return nil }
        let whole = "\(widthText):\(lengthText)"
        guard width <= longestSeconds, length <= longestSeconds else {
            throw QueryError(.badPeriod, parameter, "\(quoted(whole)) is longer than two hundred years.")
        }
        guard length >= width || months(widthText) != nil && length >= width / 31 * 28 else {
            throw QueryError(.badPeriod, parameter, "The length of \(quoted(whole)) is shorter than its width.")
        }
        let count: Int64
        let shape: Period.Shape
        if let widthMonths = months(widthText) {
            count =
                if let lengthMonths = months(lengthText) {
                    roundedUp(lengthMonths, widthMonths)
                } else {
                    roundedUp(length, widthMonths * 31 * 86_400)
                }
            shape = .rolling(.months(widthMonths), count: count)
        } else {
            count = roundedUp(length, width)
            shape = .rolling(.seconds(width), count: count)
        }
        try check(points: count, Substring(whole), parameter)
        return shape
    }

    private static func check(points: Int64, _ text: Substring, _ parameter: String) throws(QueryError) {
        guard points <= Period.mostPoints else {
            throw QueryError(
                .tooCostly, parameter,
                "\(quoted(text)) has \(points) points and \(Period.mostPoints) are allowed; widen the point or "
                    + "shorten the period.")
        }
    }

    private static func roundedUp(_ length: Int64, _ width: Int64) -> Int64 {
        length / width + (length % width > 0 ? 1 : 0)
    }

    private static func seconds(_ text: Substring) -> Int64? {
        guard let seconds = Span.seconds(text), seconds > 0 else { return nil }
        return seconds
    }

    /// Calendar months of `3mo` and `2y`; nil where the text is in another unit.
    private static func months(_ text: Substring) -> Int64? {
        if text.hasSuffix("mo") { return digits(text.dropLast(2)) }
        if text.hasSuffix("y") { return digits(text.dropLast()).map { $0 * 12 } }
        return nil
    }

    /// `M/D/YYYY`.
    private static func date(_ text: Substring) -> CivilDate? {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[2].utf8.count == 4, let month = digits(parts[0]), let day = digits(parts[1]),
            let year = digits(parts[2])
        else { return nil }
        return CivilDate(year: year, month: month, day: day)
    }

    /// A whole number of at most 11 digits without a sign.
    private static func digits(_ text: Substring) -> Int64? {
        guard (1...11).contains(text.utf8.count), text.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
        return Int64(text)
    }

    private static func halves(of text: Substring, at separator: Character) -> (Substring, Substring)? {
        let parts = text.split(separator: separator, omittingEmptySubsequences: false)
        return parts.count == 2 ? (parts[0], parts[1]) : nil
    }
}
