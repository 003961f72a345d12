/// `hailwhale run`: the agent.
enum RunCommand {
    static func perform(_ arguments: [String], _ surroundings: Surroundings) throws(CommandError) -> Int32 {
        surroundings.run(try options(arguments, surroundings)) { () throws(OptionError) in
            try reading(arguments, surroundings)
        }
    }

    static func options(_ arguments: [String], _ surroundings: Surroundings) throws(CommandError) -> AgentOptions {
        do {
            return try reading(arguments, surroundings)
        } catch {
            throw .option(error)
        }
    }

    private static func reading(
        _ arguments: [String], _ surroundings: Surroundings
    ) throws(OptionError) -> AgentOptions {
        try AgentOptions.parse(
            arguments: arguments, environment: surroundings.environment, readFile: surroundings.readFile)
    }
}
