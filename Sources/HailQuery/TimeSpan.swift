/// The half-open span of time `[start, end)` that one point of an answer stands for.
///
/// Whole Unix seconds.
package struct TimeSpan: Hashable, Sendable {
    package let startSeconds: Int64
    package let endSeconds: Int64

    package init(startSeconds: Int64, endSeconds: Int64) {
        self.startSeconds = startSeconds
        self.endSeconds = endSeconds
    }

    package var lengthSeconds: Int64 { endSeconds - startSeconds }
}
