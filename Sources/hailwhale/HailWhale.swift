@main
struct HailWhale {
    static func main() {}
}
