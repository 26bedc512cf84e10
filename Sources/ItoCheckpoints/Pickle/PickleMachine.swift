/// Interprets the part of Python's pickle language that describes data.
///
/// A pickle is a program for a stack machine that can call any function of Python. This one has no
/// functions: what tensors are put together with is recognised by name (`PickleGlobal`) and
/// described; any other name, and every instruction that could lead to a call of something else,
/// ends the reading with the name of what was wanted.
///
/// Memory is bounded: whatever is made is charged against an allowance of 1 MB and twice the
/// file's size. Time is linear in the pickle's length.
///
/// - Source: Python's `pickletools`, protocols 0 to 5.
struct PickleMachine {
  var stack: [PickleValue] = []
  /// Where the stack stood at each mark.
  var marks: [Int] = []
  var memo: [Int: PickleValue] = [:]
  /// What lists, tuples and dictionaries hold.
  var arena: [[PickleValue]] = []
  var storages: [PickleStorage] = []
  var tensors: [PickleTensor] = []
  private var storageNumbers: [String: Int] = [:]

  let bytes: UnsafeRawBufferPointer
  /// The next byte to be read.
  var position: Int
  private var allowance: Int
  private var highest = 0

  /// A machine for the pickle that begins at `position` of `bytes`, part of a file of `fileSize`.
  init(_ bytes: UnsafeRawBufferPointer, at position: Int = 0, fileSize: Int) {
    self.bytes = bytes
    self.position = position
    allowance = (1 << 20) + 2 * fileSize
  }

  /// Runs to the end of one pickle and returns what it leaves.
  mutating func run() throws(PickleFault) -> PickleValue {
    stack.removeAll()
    marks.removeAll()
    memo.removeAll()
    while true {
      let code = try take(UInt8.self)
      if code == UInt8(ascii: ".") { return try pop() }
      let isKnown =
        try runLiteral(code) ? true : try runContainer(code) ? true : try runObject(code)
      guard isKnown else {
        throw .broken("byte \(position - 1) of its pickle is no instruction (\(code))")
      }
      if stack.count > highest {
        try charge(32 * (stack.count - highest))
        highest = stack.count
      }
    }
  }

  // MARK: Allowance

  /// Accounts for memory about to be taken.
  mutating func charge(_ amount: Int) throws(PickleFault) {
    allowance -= amount
    if allowance < 0 { throw .broken("its pickle makes more objects than a checkpoint needs") }
  }

  // MARK: Reading

  mutating func take<T: FixedWidthInteger & BitwiseCopyable>(_: T.Type) throws(PickleFault) -> T {
    guard let value = bytes.integer(T.self, at: position) else {
      throw .broken("its pickle ends in the middle of an instruction")
    }
    position += MemoryLayout<T>.size
    return value
  }

  mutating func take(_ length: Int) throws(PickleFault) -> UnsafeRawBufferPointer {
    guard let slice = bytes.slice(at: position, length: length) else {
      throw .broken("its pickle ends in the middle of an instruction")
    }
    position += length
    return slice
  }

  /// The text up to the end of the line, as protocol 0 writes arguments.
  mutating func takeLine() throws(PickleFault) -> String {
    let rest = bytes[position...]
    guard let end = rest.prefix(1 << 16).firstIndex(of: UInt8(ascii: "\n")) else {
      throw .broken("its pickle ends in the middle of an instruction")
    }
    let line = try text(UnsafeRawBufferPointer(rebasing: bytes[position..<end]))
    position = end + 1
    return line
  }

  mutating func text(_ bytes: UnsafeRawBufferPointer) throws(PickleFault) -> String {
    try charge(32 + bytes.count)
    guard let text = String(validating: bytes) else {
      throw .broken("its pickle has text that is not UTF-8")
    }
    return text
  }

  // MARK: The stack

  mutating func pop() throws(PickleFault) -> PickleValue {
    guard let value = stack.popLast(), stack.count >= (marks.last ?? 0) else {
      throw .broken("its pickle takes more from its stack than it put there")
    }
    return value
  }

  /// What was put on the stack since the last mark, which goes.
  mutating func popToMark() throws(PickleFault) -> [PickleValue] {
    guard let mark = marks.popLast() else { throw .broken("its pickle returns to no mark") }
    let values = Array(stack[mark...])
    stack.removeLast(values.count)
    return values
  }

  var top: PickleValue { stack.last ?? .none }

  /// A place in the arena for `values`.
  mutating func place(_ values: [PickleValue]) throws(PickleFault) -> Int {
    try charge(64 + 24 * values.count)
    arena.append(values)
    return arena.count - 1
  }

  mutating func append(_ values: [PickleValue], to place: Int) throws(PickleFault) {
    // A growing array may have twice the room it needs.
    try charge(48 * values.count)
    arena[place] += values
  }

  mutating func memoize(_ number: Int) throws(PickleFault) {
    if memo.updateValue(top, forKey: number) == nil { try charge(96) }
  }

  mutating func recall(_ number: Int) throws(PickleFault) {
    guard let value = memo[number] else {
      throw .broken("its pickle recalls object \(number), which it never stored")
    }
    stack.append(value)
  }

  /// The number of a storage; all mentions of one key must agree.
  mutating func storage(_ found: PickleStorage) throws(PickleFault) -> Int {
    guard let number = storageNumbers[found.key] else {
      try charge(160 + found.key.utf8.count)
      storages.append(found)
      storageNumbers[found.key] = storages.count - 1
      return storages.count - 1
    }
    let known = storages[number]
    guard known.type == found.type, known.count == found.count else {
      throw .broken("its pickle describes the data '\(found.key)' in two ways")
    }
    return number
  }
}
