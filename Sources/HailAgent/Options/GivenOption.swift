/// What one source says about one option.
struct GivenOption: Equatable {
    /// One text, or the items of a list; of a list of lists, each with its names joined by commas.
    var texts: [String]
    var source: OptionSource
}
