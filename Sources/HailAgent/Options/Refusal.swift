/// Why the reader of an option's value refused it: what would have been allowed instead.
struct Refusal: Error, Equatable {
    /// Nil is what the option always says.
    var allowed: String?
    /// The value as errors may show it, where it may hold a secret; nil shows it as it was given.
    var shown: String?
}
