/// The version of the agent, as `version`, `/metrics` and `/status` say it.
package enum Version {
    package static let text = "0.1.0"
}
