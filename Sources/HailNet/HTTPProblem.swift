/// What is wrong with a request before any route has looked at it.
package enum HTTPProblem: Error, Equatable, Sendable {
    /// A `%` without two hexadecimal digits.
    case malformedEscape
    /// A NUL, raw or as `%00`.
    case nul
    /// A control byte or a space in the request target.
    case controlByte
    case notUTF8
    /// A target that is neither a path nor an absolute URL.
    case malformedTarget
    /// A header field whose name is no token, or whose value holds a NUL or another control byte or is folded over lines.
    case malformedHeader
    /// A request target longer than it may be.
    case targetTooLong(limitBytes: Int)
    /// Header fields that take more than they may together.
    case headersTooLarge(limitBytes: Int)
    /// Several lengths, a length and a transfer coding, or a coding other than `chunked`: what follows cannot be told
    /// from the body.
    case unclearLength
    case bodyTooLarge(limitBytes: Int)
    /// The bodies of all requests together take more memory than they may.
    case busy

    /// The status to answer with.
    package var status: Int {
        switch self {
        case .bodyTooLarge: 413
        case .targetTooLong: 414
        case .headersTooLarge: 431
        case .busy: 503
        default: 400
        }
    }

    /// The name in an answer's `error.code`.
    package var code: String {
        switch self {
        case .malformedEscape: "malformed_escape"
        case .nul: "nul"
        case .controlByte: "control_byte"
        case .notUTF8: "not_utf8"
        case .malformedTarget: "malformed_target"
        case .malformedHeader: "malformed_header"
        case .targetTooLong: "target_too_long"
        case .headersTooLarge: "headers_too_large"
        case .unclearLength: "unclear_length"
        case .bodyTooLarge: "too_large"
        case .busy: "busy"
        }
    }

    /// A sentence for the caller.
    package var message: String {
        switch self {
        case .malformedEscape: "a % is not followed by two hexadecimal digits"
        case .nul: "a NUL is not taken anywhere"
        case .controlByte: "the request target holds a control byte or a space"
        case .notUTF8: "the text is not UTF-8"
        case .malformedTarget: "the request target is neither a path nor a URL"
        case .malformedHeader: "a header field holds a control byte, is folded, or has a name that is none"
        case .targetTooLong(let limit): "the request target is longer than \(limit) bytes; POST a form or JSON instead"
        case .headersTooLarge(let limit): "the header fields take more than \(limit) bytes"
        case .unclearLength: "the length of the body is not clear"
        case .bodyTooLarge(let limit): "the body is longer than \(limit) bytes"
        case .busy: "too many bodies at once; try again"
        }
    }
}
