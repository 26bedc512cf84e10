/// Instructions that make and fill tuples, lists, sets and dictionaries.
extension PickleMachine {
  /// Carries out `code` if it is such an instruction.
  mutating func runContainer(_ code: UInt8) throws(PickleFault) -> Bool {
    switch UnicodeScalar(code) {
    case "(":
      try budget.makeRoom(for: 1, in: &marks)
      marks.append(stack.count)
    case "0":
      // Also drops a mark when nothing lies above it.
      if marks.last == stack.count { marks.removeLast() } else { _ = try pop() }
    case "1": stack.removeSubrange(try popMark()...)
    case "2": stack.append(top)
    case ")": stack.append(.tuple(try place([])))
    case "t": stack.append(.tuple(try place(try pop(from: try popMark()))))
    case "\u{85}": try tuple(of: 1)
    case "\u{86}": try tuple(of: 2)
    case "\u{87}": try tuple(of: 3)
    case "]", "\u{8F}": stack.append(.list(try place([])))
    case "l", "\u{91}": stack.append(.list(try place(try pop(from: try popMark()))))
    case "}": stack.append(.dictionary(try place([])))
    case "d":
      let values = try pop(from: try popMark())
      guard values.count.isMultiple(of: 2) else { throw .broken("its pickle has a key alone") }
      stack.append(.dictionary(try place(values)))
    case "a": try extendList(from: stack.count - 1)
    case "e", "\u{90}": try extendList(from: try popMark())
    case "s": try setItems(from: stack.count - 2)
    case "u": try setItems(from: try popMark())
    default: return false
    }
    return true
  }

  private mutating func tuple(of count: Int) throws(PickleFault) {
    stack.append(.tuple(try place(try pop(from: stack.count - count))))
  }

  /// Moves what lies on the stack from `start` on to the list below it.
  private mutating func extendList(from start: Int) throws(PickleFault) {
    switch try below(start) {
    case .list(let place): try move(from: start, to: place)
    case .opaque: stack.removeSubrange(start...)
    default: throw .broken("its pickle appends to something that is no list")
    }
  }

  /// Moves the keys and values that lie on the stack from `start` on to the dictionary below them.
  private mutating func setItems(from start: Int) throws(PickleFault) {
    let target = try below(start)
    guard (stack.count - start).isMultiple(of: 2) else {
      throw .broken("its pickle has a key alone")
    }
    switch target {
    case .dictionary(let place): try move(from: start, to: place)
    case .opaque: stack.removeSubrange(start...)
    default: throw .broken("its pickle sets items of something that is no dictionary")
    }
  }

  /// What lies below what is to be taken from the stack from `start` on.
  private func below(_ start: Int) throws(PickleFault) -> PickleValue {
    guard start >= max(1, marks.last ?? 0) else {
      throw .broken("its pickle takes more from its stack than it put there")
    }
    return stack[start - 1]
  }

  private mutating func move(from start: Int, to place: Int) throws(PickleFault) {
    try budget.makeRoom(for: stack.count - start, in: &arena[place])
    arena[place].append(contentsOf: stack[start...])
    stack.removeSubrange(start...)
  }
}
