/// Instructions that make and fill tuples, lists, sets and dictionaries.
extension PickleMachine {
  /// Carries out `code` if it is such an instruction.
  mutating func runContainer(_ code: UInt8) throws(PickleFault) -> Bool {
    switch UnicodeScalar(code) {
    case "(":
      marks.append(stack.count)
      try charge(16)
    case "0":
      // Also drops a mark when nothing lies above it.
      if marks.last == stack.count { marks.removeLast() } else { _ = try pop() }
    case "1": _ = try popToMark()
    case "2": stack.append(top)
    case ")": stack.append(.tuple(try place([])))
    case "t": stack.append(.tuple(try place(try popToMark())))
    case "\u{85}": try tuple(of: 1)
    case "\u{86}": try tuple(of: 2)
    case "\u{87}": try tuple(of: 3)
    case "]", "\u{8F}": stack.append(.list(try place([])))
    case "l", "\u{91}": stack.append(.list(try place(try popToMark())))
    case "}": stack.append(.dictionary(try place([])))
    case "d":
      let values = try popToMark()
      guard values.count.isMultiple(of: 2) else { throw .broken("its pickle has a key alone") }
      stack.append(.dictionary(try place(values)))
    case "a": try extend(with: [try pop()])
    case "e", "\u{90}": try extend(with: try popToMark())
    case "s":
      let value = try pop()
      try setItems([try pop(), value])
    case "u": try setItems(try popToMark())
    default: return false
    }
    return true
  }

  private mutating func tuple(of count: Int) throws(PickleFault) {
    var values: [PickleValue] = []
    for _ in 0..<count { values.append(try pop()) }
    stack.append(.tuple(try place(values.reversed())))
  }

  private mutating func extend(with values: [PickleValue]) throws(PickleFault) {
    switch top {
    case .list(let place): try append(values, to: place)
    case .opaque: break
    default: throw .broken("its pickle appends to something that is no list")
    }
  }

  private mutating func setItems(_ values: [PickleValue]) throws(PickleFault) {
    guard values.count.isMultiple(of: 2) else { throw .broken("its pickle has a key alone") }
    switch top {
    case .dictionary(let place): try append(values, to: place)
    case .opaque: break
    default: throw .broken("its pickle sets items of something that is no dictionary")
    }
  }
}
