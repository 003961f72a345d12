/// `hailwhale run`: the agent.
enum RunCommand {
    static func perform(_ arguments: [String], _ surroundings: Surroundings) throws(CommandError) -> Int32 {
        surroundings.run(try options(arguments, surroundings))
    }

    static func options(_ arguments: [String], _ surroundings: Surroundings) throws(CommandError) -> AgentOptions {
        do {
            return try AgentOptions.parse(
                arguments: arguments, environment: surroundings.environment, readFile: surroundings.readFile)
        } catch {
            throw .option(error)
        }
    }
}
