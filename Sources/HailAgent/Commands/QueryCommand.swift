import HailCore
import HailWire

/// `hailwhale query`: totals, plotpoints and rankings in a terminal.
enum QueryCommand {
    /// Options that are parameters of the request, under its names.
    private static let parameters = [
        CommandOption("pk", "PATH", "the subject: a name or a JSON list; default is the overall one"),
        CommandOption("dimensions", "PATHS", "country, [\"country\",\"US\"], or a list of such lists"),
        CommandOption("metrics", "NAMES", "hits,dollars,dollars/hits; default hits; one of rank"),
        CommandOption("period", "PERIOD", "of plotpoints and rank, such as 1m:1h; default thirty"),
        CommandOption("periods", "PERIODS", "of totals, such as 1m:1h,1d:1mo; default all of them"),
        CommandOption("tz", "ZONE", "whose days are meant; default UTC"),
        CommandOption("depth", "N", "of plotpoints: levels below the dimension"),
        CommandOption("sort", "METRIC", "of plotpoints: metric, or -metric for the largest first"),
        CommandOption("limit", "N", "of plotpoints: series in all"),
        CommandOption("threshold", "SHARE", "of plotpoints: children below it are folded, 0 to 1"),
        CommandOption("recursive", "BOOL", "of rank: all levels below the dimension; default true"),
        CommandOption(
            "prune_parents", "BOOL", "of rank: what important children explain is not important; default true"),
    ]

    static let options =
        [CommandOption("agent", "URL", "the agent's HTTP address; default http://127.0.0.1:8085")] + parameters + [
            CommandOption("json", nil, "prints the answer as it came"),
            CommandOption("csv", nil, "prints comma-separated values"),
            CommandOption("plot", nil, "draws plotpoints as a chart"),
        ]

    /// What each call takes beside what all do.
    private static let ownParameters: [(call: String, names: Set<String>)] = [
        ("totals", ["periods"]), ("plotpoints", ["period", "depth", "sort", "limit", "threshold"]),
        ("rank", ["period", "recursive", "prune_parents"]),
    ]
    private static let commonParameters: Set<String> = ["pk", "dimensions", "metrics", "tz"]

    static func perform(_ arguments: [String], _ surroundings: Surroundings) throws(CommandError) -> Int32 {
        let (values, words) = try CommandOption.read(arguments, of: options, command: "query")
        let call = words.first ?? ""
        guard let own = ownParameters.first(where: { $0.call == call })?.names else {
            throw words.isEmpty
                ? .missingValue("query (totals, plotpoints or rank)") : .unexpectedArgument(call, command: "query")
        }
        if words.count > 1 { throw .unexpectedArgument(words[1], command: "query") }
        for option in parameters where values[option.name] != nil {
            guard own.contains(option.name) || commonParameters.contains(option.name) else {
                throw .unexpectedArgument("--" + option.name, command: "query")
            }
        }
        let forms = ["json", "csv", "plot"].filter { values[$0] != nil }
        if forms.count > 1 { throw .unexpectedArgument("--" + forms[1], command: "query") }
        if values["plot"] != nil, call != "plotpoints" { throw .unexpectedArgument("--plot", command: "query " + call) }
        let text = values["agent"] ?? "http://127.0.0.1:8085"
        guard let agent = AgentURL(parsing: text) else {
            throw .wrongValue(option: "agent", value: text, allowed: AgentURL.allowed)
        }
        let query = parameters.compactMap { option in
            values[option.name].map { "\(option.name)=\(AgentURL.escaped($0))" }
        }.joined(separator: "&")
        let target = "/" + call + (query.isEmpty ? "" : "?" + query)
        let answer: FetchAnswer
        do {
            answer = try surroundings.fetch(agent, target)
        } catch {
            surroundings.complain("\(text) cannot be reached: \(error.reason)")
            return ExitCode.unavailable
        }
        return print(answer, as: forms.first.flatMap(Form.init) ?? .table, surroundings)
    }

    private enum Form: String {
        case json
        case csv
        case plot
        case table
    }

    private static func print(_ answer: FetchAnswer, as form: Form, _ surroundings: Surroundings) -> Int32 {
        let value = try? JSONText.parse(answer.body)
        guard answer.status == 200, let value else {
            surroundings.complain(refusal(answer, value))
            return ExitCode.fault
        }
        if form == .json {
            return surroundings.output(answer.body + [0x0A]) ? ExitCode.success : ExitCode.inputOutput
        }
        if form == .plot, let plot = AnswerPlot(value) {
            return surroundings.output(Array(plot.text.utf8)) ? ExitCode.success : ExitCode.inputOutput
        }
        guard let table = AnswerTable(value) else {
            surroundings.complain("the answer is no table; --json prints it as it came")
            return ExitCode.fault
        }
        for note in table.notes { surroundings.complain(note) }
        let text = form == .csv ? table.csv : table.text
        return surroundings.output(Array(text.utf8)) ? ExitCode.success : ExitCode.inputOutput
    }

    /// What the agent says against the question: its own code and message where it answered as agents do.
    static func refusal(_ answer: FetchAnswer, _ value: JSONValue?) -> String {
        if case .string(let code) = value?["error"]?["code"], case .string(let message) = value?["error"]?["message"] {
            return "the agent refuses: \(code): \(AnswerTable.visible(message))"
        }
        return "the agent answered with status \(answer.status) and no JSON"
    }
}

extension JSONValue {
    /// The member of an object; nil for other values.
    subscript(name: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.name == name }?.value
    }
}
