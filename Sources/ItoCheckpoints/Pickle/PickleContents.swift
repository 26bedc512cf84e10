import ItoComponents
import ItoTensors

/// What a pickle holds, with a name for every tensor.
///
/// Names of nested dictionaries and lists are joined by dots. A training checkpoint
/// (`{"state_dict": …, "optimizer_states": …}`) is its `state_dict`. Numbers and text become
/// metadata.
struct PickleContents: Sendable {
  /// Tensors by name, in the order of the file.
  private(set) var tensors: [(name: String, tensor: PickleTensor)] = []
  /// The place of each name among them.
  private(set) var positions: [String: Int] = [:]
  private(set) var metadata: [String: String] = [:]

  private static let deepest = 16

  init(_ root: PickleValue, _ machine: inout PickleMachine) throws(PickleFault) {
    var root = root
    for _ in 0..<4 {
      guard let inner = machine.member("state_dict", of: root) else { break }
      // Beside the weights lie the optimizer's tensors, which are no part of the model; what is
      // said of the training is kept.
      try add(root, "", depth: 0, &machine, textOnly: true)
      root = inner
    }
    try add(root, "", depth: 0, &machine, textOnly: false)
    positions.reserveCapacity(tensors.count)
    for (i, (name, _)) in tensors.enumerated() {
      guard positions.updateValue(i, forKey: name) == nil else {
        throw .broken("its pickle has two tensors called \(quoted(name))")
      }
    }
  }

  private mutating func add(
    _ value: PickleValue, _ name: String, depth: Int, _ machine: inout PickleMachine,
    textOnly: Bool
  ) throws(PickleFault) {
    // An object that many others share would be visited once for each of them.
    try machine.budget.take(PickleBudget.overhead + name.utf8.count)
    guard depth <= Self.deepest else { throw .broken("its pickle is nested too deeply") }
    func note(_ text: String) throws(PickleFault) {
      guard !name.isEmpty && text.utf8.count <= 4096 else { return }
      try machine.budget.take(192)
      metadata[name] = text
    }
    switch value {
    case .tensor(let number) where !textOnly:
      // With its places in the table of names and in those of `PickleCheckpoint`.
      try machine.budget.take(192)
      try machine.budget.makeRoom(for: 1, in: &tensors)
      tensors.append((name.isEmpty ? "tensor" : name, machine.tensors[number]))
    case .dictionary(let place) where depth == 0 || !textOnly:
      let members = machine.arena[place]
      for i in stride(from: 0, to: members.count - 1, by: 2) {
        let key: String
        switch members[i] {
        case .text(let text): key = text
        case .int(let number): key = String(number)
        default: continue
        }
        try add(
          members[i + 1], name.isEmpty ? key : "\(name).\(key)", depth: depth + 1, &machine,
          textOnly: textOnly)
      }
    case .list(let place) where !textOnly, .tuple(let place) where !textOnly:
      for (i, element) in machine.arena[place].enumerated() {
        try add(
          element, name.isEmpty ? "\(i)" : "\(name).\(i)", depth: depth + 1, &machine,
          textOnly: textOnly)
      }
    case .text(let text): try note(text)
    case .int(let number): try note(String(number))
    case .double(let number): try note(String(number))
    case .bool(let flag): try note(String(flag))
    default: break
    }
  }
}

extension PickleMachine {
  /// The member `key` of a dictionary when it is one itself. The last mention counts.
  fileprivate func member(_ key: String, of value: PickleValue) -> PickleValue? {
    guard case .dictionary(let place) = value else { return nil }
    let members = arena[place]
    for i in stride(from: members.count - members.count % 2 - 2, through: 0, by: -2) {
      if case .text(key) = members[i], case .dictionary = members[i + 1] { return members[i + 1] }
    }
    return nil
  }
}
