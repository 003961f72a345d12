/// `hailwhale version`.
enum VersionCommand {
    static func perform(_ arguments: [String], _ surroundings: Surroundings) throws(CommandError) -> Int32 {
        if let argument = arguments.first { throw .unexpectedArgument(argument, command: "version") }
        return surroundings.say("hailwhale \(Version.text)") ? ExitCode.success : ExitCode.inputOutput
    }
}
