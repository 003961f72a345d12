/// `hailwhale check`: whether `run` would start with the same options, and whether the store can be relied on.
enum CheckCommand {
    static func perform(_ arguments: [String], _ surroundings: Surroundings) throws(CommandError) -> Int32 {
        let options = try RunCommand.options(arguments, surroundings)
        let faults = surroundings.storeFaults(options)
        for fault in faults { surroundings.complain(fault) }
        guard faults.isEmpty else { return ExitCode.fault }
        return surroundings.say("options and store \(options.store) are in order")
            ? ExitCode.success : ExitCode.inputOutput
    }
}
