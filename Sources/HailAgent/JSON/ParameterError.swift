/// Why the parameters of a request were refused: the `code`, `param` and `message` of the answer's error.
package struct ParameterError: Error, Equatable {
    package let code: String
    /// The canonical name of the parameter; nil where the fault is in the request as a whole.
    package let param: String?
    package let message: String

    package init(code: String, param: String?, message: String) {
        self.code = code
        self.param = param
        self.message = message
    }
}
