/// The way from the process's arguments to a command and back to an exit code.
package enum CommandDispatch {
    /// Carries out the command that the arguments name.
    ///
    /// - Parameter arguments: without the program's own name.
    /// - Returns: the exit code; 64 where the arguments are wrong.
    package static func main(arguments: [String], surroundings: Surroundings) -> Int32 {
        do {
            return try dispatch(arguments, surroundings)
        } catch {
            surroundings.complain("\(error)")
            return ExitCode.usage
        }
    }

    private static func dispatch(
        _ arguments: [String], _ surroundings: Surroundings
    ) throws(CommandError) -> Int32 {
        guard let first = arguments.first else { throw .noCommand }
        let rest = Array(arguments.dropFirst())
        if first == "--help" || first == "-h" { return try HelpCommand.perform(rest, surroundings) }
        if first == "--version" { return try VersionCommand.perform(rest, surroundings) }
        guard let command = Command.named(first) else {
            throw Command.later.contains(first) ? .notInThisVersion(first) : .unknownCommand(first)
        }
        // Help is asked for before anything else is looked at, so that a wrong line can be put right.
        if rest.contains("--help") || rest.contains("-h") { return try HelpCommand.perform([first], surroundings) }
        return try command.perform(rest, surroundings)
    }
}
