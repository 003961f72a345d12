import Glibc
import HailAgent

@main
struct HailWhale {
    static func main() {
        // A reader that goes away shows as an error of the write, not as a signal.
        signal(SIGPIPE, SIG_IGN)
        exit(CommandDispatch.main(arguments: Array(CommandLine.arguments.dropFirst()), surroundings: .system()))
    }
}
