/// Instructions that put numbers, text and what was stored before on the stack.
extension PickleMachine {
  /// Carries out `code` if it is such an instruction.
  mutating func runLiteral(_ code: UInt8) throws(PickleFault) -> Bool {
    switch UnicodeScalar(code) {
    case "\u{80}": _ = try take(UInt8.self)  // the protocol's number
    case "\u{95}": _ = try take(UInt64.self)  // a frame's length
    case "N": stack.append(.none)
    case "\u{88}": stack.append(.bool(true))
    case "\u{89}": stack.append(.bool(false))
    case "J": stack.append(.int(Int(Int32(bitPattern: try take(UInt32.self)))))
    case "K": stack.append(.int(Int(try take(UInt8.self))))
    case "M": stack.append(.int(Int(try take(UInt16.self))))
    case "\u{8A}": try pushLong(Int(try take(UInt8.self)))
    case "\u{8B}": try pushLong(Int(try take(UInt32.self)))
    case "I", "L": try pushNumberLine()
    case "F":
      guard let value = Double(try takeLine()) else { throw .broken("its pickle has a bad number") }
      stack.append(.double(value))
    case "G": stack.append(.double(Double(bitPattern: try take(UInt64.self).byteSwapped)))
    case "\u{8C}": try pushText(Int(try take(UInt8.self)))
    case "X": try pushText(Int(try take(UInt32.self)))
    case "\u{8D}": try pushText(try length(try take(UInt64.self)))
    case "V": stack.append(.text(try takeLine()))
    case "U": try pushOldText(Int(try take(UInt8.self)))
    case "T": try pushOldText(Int(try take(UInt32.self)))
    case "S": stack.append(.text(try quotedLine()))
    case "C": try skip(Int(try take(UInt8.self)))
    case "B": try skip(Int(try take(UInt32.self)))
    case "\u{8E}", "\u{96}": try skip(try length(try take(UInt64.self)))
    case "p": try memoize(try lineNumber())
    case "q": try memoize(Int(try take(UInt8.self)))
    case "r": try memoize(Int(try take(UInt32.self)))
    case "\u{94}": try memoizeNext()
    case "g": try recall(try lineNumber())
    case "h": try recall(Int(try take(UInt8.self)))
    case "j": try recall(Int(try take(UInt32.self)))
    default: return false
    }
    return true
  }

  /// A length that can be one of bytes in the file.
  private func length(_ value: UInt64) throws(PickleFault) -> Int {
    guard value <= UInt64(bytes.count) else {
      throw .broken("its pickle ends in the middle of an instruction")
    }
    return Int(value)
  }

  private mutating func pushText(_ length: Int) throws(PickleFault) {
    stack.append(.text(try text(try take(length))))
  }

  /// Text of Python 2, which need not be UTF-8 because it may be bytes.
  private mutating func pushOldText(_ length: Int) throws(PickleFault) {
    let bytes = try take(length)
    try budget.take(text: length)
    stack.append(String(validating: bytes).map { .text($0) } ?? .opaque)
  }

  private mutating func skip(_ length: Int) throws(PickleFault) {
    _ = try take(length)
    stack.append(.opaque)
  }

  /// A little-endian number in two's complement.
  private mutating func pushLong(_ length: Int) throws(PickleFault) {
    let bytes = try take(length)
    guard length <= 8 else { return stack.append(.opaque) }
    var value: Int64 = (bytes.last ?? 0) & 0x80 != 0 ? -1 : 0
    for byte in bytes.reversed() { value = value << 8 | Int64(byte) }
    stack.append(.int(Int(value)))
  }

  private mutating func lineNumber() throws(PickleFault) -> Int {
    guard let number = Int(try takeLine()), number >= 0 else {
      throw .broken("its pickle has a bad number")
    }
    return number
  }

  private mutating func pushNumberLine() throws(PickleFault) {
    var line = try takeLine()
    if line == "00" || line == "01" { return stack.append(.bool(line == "01")) }
    if line.hasSuffix("L") { line.removeLast() }
    guard let number = Int(line) else { throw .broken("its pickle has a bad number") }
    stack.append(.int(number))
  }

  /// Text in quotes, without the escapes of which names of tensors have no need.
  private mutating func quotedLine() throws(PickleFault) -> String {
    let line = try takeLine()
    guard line.count >= 2, let quote = line.first, quote == line.last,
      quote == "'" || quote == "\"",
      !line.contains("\\")
    else { throw .broken("its pickle has badly quoted text") }
    return String(line.dropFirst().dropLast())
  }
}
