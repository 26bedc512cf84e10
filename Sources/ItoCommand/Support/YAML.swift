import ItoComponents
import Yams

/// Reads `text` as YAML into the value that JSON would give.
func parseYAML(_ text: String, file: String) throws -> JSONValue {
  let node: Node?
  do {
    node = try compose(yaml: text)
  } catch {
    throw CommandFailure("\(file) is not valid YAML: \(error)")
  }
  guard let node else { throw CommandFailure("\(file) is empty; see Recipes/ for examples") }
  return try value(of: node, file: file, depth: 0)
}

private func value(of node: Node, file: String, depth: Int) throws -> JSONValue {
  guard depth < 64 else { throw CommandFailure("\(file) is nested more than 64 levels deep") }
  switch node {
  case .scalar(let scalar):
    // Quoted words stay words, whatever they look like.
    if scalar.style == .singleQuoted || scalar.style == .doubleQuoted {
      return .string(scalar.string)
    }
    if node.null != nil { return .null }
    if let flag = node.bool { return .bool(flag) }
    if let number = node.int { return .integer(Int64(number)) }
    if let number = node.float { return .double(number) }
    return .string(scalar.string)
  case .sequence(let sequence):
    return .array(try sequence.map { try value(of: $0, file: file, depth: depth + 1) })
  case .mapping(let mapping):
    var object = JSONObject()
    for (key, child) in mapping {
      guard let name = key.string else { throw CommandFailure("\(file): a key is not a word") }
      guard object[name] == nil else {
        throw CommandFailure("\(file): \"\(name)\" is given twice; remove one")
      }
      object[name] = try value(of: child, file: file, depth: depth + 1)
    }
    return .object(object)
  case .alias:
    throw CommandFailure("\(file): YAML aliases are not supported; write the value out")
  }
}
