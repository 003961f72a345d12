/// The labels of `hailwhale_http_requests_total`.
struct HTTPRequestLabel: Hashable, Sendable {
    let path: String
    let status: Int
}
