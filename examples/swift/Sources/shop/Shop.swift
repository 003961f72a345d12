import HailClient

/// A shop on a busy day: sells, times, watches its stock, and says how much of that was sent.
///
///     swift run --package-path examples/swift shop 127.0.0.1 8125 1000
@main
struct Shop {
    static func main() {
        let words = CommandLine.arguments
        let host = words.count > 1 ? words[1] : "127.0.0.1"
        let port = words.count > 2 ? Int(words[2]) ?? 8_125 : 8_125
        let sales = words.count > 3 ? Int(words[3]) ?? 100 : 100

        let client = HailClient(host: host, port: port)
        let countries = ["US", "DE", "JP"]
        client.gauge("shop.stock", sales)
        for number in 0..<sales {
            let geo = ["world", countries[number % 3]]
            client.event("shop.Product", ["revenue": 12.5, "items": Double(number % 4)], ["geo": geo])
            client.count(["shop", "example.com", "visits"])
            client.timing("shop.checkout", Double(number))
            client.distinct("shop.buyers", "buyer-\(number % 97)")
            client.gauge("shop.stock", by: -1)
            // UDP holds nobody up: a program that sends as fast as it can gives the agent time to keep up.
            if number % 100 == 99 { client.flush() }
        }
        client.timing("shop.day") { client.gauge("shop.balance", -12.5) }
        client.close()
        print("dropped \(client.droppedCount)")
    }
}
