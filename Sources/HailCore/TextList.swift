/// Texts of the store, all in one piece of memory, so that a long list takes no object for each.
package struct TextList: Sendable {
    /// Where a text lies.
    package struct Place: Sendable {
        let start: UInt32
        /// -1 where there is no text.
        let count: Int32

        package static let missing = Place(start: 0, count: -1)

        private init(start: UInt32, count: Int32) {
            self.start = start
            self.count = count
        }

        /// - Parameters: of at most 2 GiB of bytes.
        package init(_ range: Range<Int>) {
            self.init(
                start: UInt32(truncatingIfNeeded: range.lowerBound), count: Int32(truncatingIfNeeded: range.count))
        }
    }

    /// The texts, while their memory is held.
    package struct Texts {
        fileprivate let bytes: UnsafeBufferPointer<UInt8>
        fileprivate let places: UnsafeBufferPointer<Place>

        /// A text, or nil where there is none.
        package subscript(index: Int) -> UnsafeBufferPointer<UInt8>? {
            let place = places[index]
            guard place.count >= 0 else { return nil }
            let start = Int(place.start)
            return UnsafeBufferPointer(rebasing: bytes[start..<start + Int(place.count)])
        }
    }

    private let bytes: [UInt8]
    private let places: ArraySlice<Place>

    /// - Parameter places: of texts within the bytes.
    package init(bytes: [UInt8], places: ArraySlice<Place>) {
        self.bytes = bytes
        self.places = places
    }

    package init(_ texts: [[UInt8]?]) {
        var bytes: [UInt8] = []
        var places: [Place] = []
        for text in texts {
            guard let text else {
                places.append(.missing)
                continue
            }
            places.append(Place(bytes.count..<bytes.count + text.count))
            bytes += text
        }
        self.init(bytes: bytes, places: places[...])
    }

    package var count: Int { places.count }

    package var isEmpty: Bool { places.isEmpty }

    package func withTexts<Result, Failure: Error>(
        _ body: (Texts) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try bytes.withUnsafeBufferPointer { bytes throws(Failure) in
            try places.withUnsafeBufferPointer { places throws(Failure) in
                try body(Texts(bytes: bytes, places: places))
            }
        }
    }
}

extension TextList: Equatable {
    package static func == (left: TextList, right: TextList) -> Bool {
        guard left.count == right.count else { return false }
        return left.withTexts { left in
            right.withTexts { right in
                left.places.indices.allSatisfy { index in
                    switch (left[index], right[index]) {
                    case (nil, nil): true
                    case (.some(let left), .some(let right)): left.elementsEqual(right)
                    default: false
                    }
                }
            }
        }
    }
}
