/// Where a line came in.
enum Transport: String, CaseIterable, Sendable {
    case udp, unix, tcp, http
}
