import HailCore
import HailStore
import HailWire

/// Reads the configuration file: a JSON object whose keys are the names of options.
///
/// Values are strings, numbers, true or false; lists are JSON lists or comma-separated strings.
enum ConfigFile {
    static func read(
        path: String, readFile: AgentOptions.FileReader
    ) throws(OptionError) -> [String: GivenOption] {
        let bytes: [UInt8]
        do {
            bytes = try readFile(path)
        } catch {
            throw .unreadableFile(path: path, reason: error.reason)
        }
        let value: JSONValue
        do {
            value = try JSONText.parse(bytes)
        } catch {
            throw .malformedFile(path: path, reason: "\(error)")
        }
        guard case .object(let members) = value else {
            throw .malformedFile(path: path, reason: "it is no JSON object")
        }
        var given: [String: GivenOption] = [:]
        for member in members {
            guard let option = RunOption.named(member.name), option.name != RunOption.config.name else {
                throw .unknownKey(member.name, path: path)
            }
            guard let texts = texts(of: member.value, option: option) else {
                throw .wrongValue(
                    option: option.name, source: .file(path: path),
                    value: StoreURL.withoutPassword(String(decoding: JSONText.render(member.value), as: UTF8.self)),
                    allowed: option.allowed)
            }
            given[option.name] = GivenOption(texts: texts, source: .file(path: path))
        }
        return given
    }

    /// The value as the texts a flag would bring; nil where its shape is wrong.
    private static func texts(of value: JSONValue, option: RunOption) -> [String]? {
        switch (value, option.shape) {
        case (.string(let text), .one), (.string(let text), .list), (.string(let text), .repeated):
            return option.items(of: [text])
        case (.number(let text), .one):
            return [text]
        case (.bool(let flag), .toggle):
            return [flag ? "yes" : "no"]
        case (.array(let items), .list), (.array(let items), .repeated):
            return strings(items)
        case (.array(let items), .listOfLists):
            var texts: [String] = []
            for item in items {
                guard case .array(let names) = item, let names = strings(names),
                    !names.contains(where: { $0.utf8.contains(UInt8(ascii: ",")) })
                else { return nil }
                texts.append(names.joined(separator: ","))
            }
            return texts
        default:
            return nil
        }
    }

    private static func strings(_ items: [JSONValue]) -> [String]? {
        var texts: [String] = []
        for item in items {
            guard case .string(let text) = item else { return nil }
            texts.append(text)
        }
        return texts
    }
}
