/// Why a line was refused.
///
/// Each case has a counter of the same name: `hailwhale_rejected_total{reason="…"}`.
package enum LineError: String, Error, CaseIterable, Sendable {
    // The shape of a line.
    case missingValue = "missing_value"
    case emptyName = "empty_name"
    case missingType = "missing_type"
    case badType = "bad_type"
    case unknownSection = "unknown_section"
    case duplicateSection = "duplicate_section"
    case multiType = "multi_type"
    case tagsInName = "tags_in_name"
    case mixedForms = "mixed_forms"
    // Numbers.
    case badNumber = "bad_number"
    case outOfRange = "out_of_range"
    case badRate = "bad_rate"
    case rateOutOfRange = "rate_out_of_range"
    case badTimestamp = "bad_timestamp"
    case late
    case future
    // Text.
    case controlByte = "control_byte"
    case notUTF8 = "not_utf8"
    case reservedName = "reserved_name"
    case emptyMetric = "empty_metric"
    case emptyTag = "empty_tag"
    // Limits.
    case tooManyParts = "too_many_parts"
    case partTooLong = "part_too_long"
    case tooManyTags = "too_many_tags"
    case tooDeep = "too_deep"
    case tooManyMetrics = "too_many_metrics"
    case lineTooLong = "line_too_long"
    // Who sent it.
    case unsealed
    // DogStatsD's other datagrams.
    case badEvent = "bad_event"
    case badServiceCheck = "bad_service_check"
}
