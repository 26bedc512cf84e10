import ItoComponents

/// Interprets the part of Python's pickle language that describes data.
///
/// A pickle is a program for a stack machine that can call any function of Python. This one has no
/// functions: what tensors are put together with is recognised by name (`PickleGlobal`) and
/// described; any other name, and every instruction that could lead to a call of something else,
/// ends the reading with the name of what was wanted.
///
/// Memory is bounded by four times the file's size and 1 MB (`PickleBudget`). Time is linear in the pickle's
/// length.
///
/// - Source: Python's `pickletools`, protocols 0 to 5.
struct PickleMachine {
  var stack: [PickleValue] = []
  /// Where the stack stood at each mark.
  var marks: [Int] = []
  /// What was stored, by number: programs number from 0 or 1 on.
  private var memo: [PickleValue?] = []
  private var memoized = 0
  /// What lists, tuples and dictionaries hold.
  var arena: [[PickleValue]] = []
  var storages: [PickleStorage] = []
  var tensors: [PickleTensor] = []
  private(set) var storageNumbers: [String: Int] = [:]

  let bytes: UnsafeRawBufferPointer
  /// The next byte to be read.
  var position: Int
  var budget: PickleBudget

  /// A machine for the pickle that begins at `position` of `bytes`.
  init(_ bytes: UnsafeRawBufferPointer, at position: Int = 0, budget: PickleBudget) {
    self.bytes = bytes
    self.position = position
    self.budget = budget
  }

  /// Runs to the end of one pickle and returns what it leaves.
  mutating func run() throws(PickleFault) -> PickleValue {
    stack.removeAll(keepingCapacity: true)
    marks.removeAll(keepingCapacity: true)
    memo.removeAll(keepingCapacity: true)
    memoized = 0
    while true {
      // No instruction leaves more than one value more.
      try budget.makeRoom(for: 1, in: &stack)
      let code = try take(UInt8.self)
      if code == UInt8(ascii: ".") { return try pop() }
      let isKnown =
        try runLiteral(code) ? true : try runContainer(code) ? true : try runObject(code)
      guard isKnown else {
        throw .broken("byte \(position - 1) of its pickle is no instruction (\(code))")
      }
    }
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
    try budget.take(text: bytes.count)
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

  /// What lies on the stack from `start` on, which goes.
  mutating func pop(from start: Int) throws(PickleFault) -> [PickleValue] {
    guard start >= (marks.last ?? 0) else {
      throw .broken("its pickle takes more from its stack than it put there")
    }
    try budget.take(stack.count - start, of: PickleValue.self)
    // An array made of the whole stack would share its memory.
    var values: [PickleValue] = []
    values.reserveCapacity(stack.count - start)
    values.append(contentsOf: stack[start...])
    stack.removeLast(values.count)
    return values
  }

  /// Where the stack stood at the last mark, which goes.
  mutating func popMark() throws(PickleFault) -> Int {
    guard let mark = marks.popLast() else { throw .broken("its pickle returns to no mark") }
    return mark
  }

  var top: PickleValue { stack.last ?? .none }

  /// A place in the arena for `values`, which were accounted for.
  mutating func place(_ values: [PickleValue]) throws(PickleFault) -> Int {
    try budget.makeRoom(for: 1, in: &arena)
    arena.append(values)
    return arena.count - 1
  }

  mutating func memoize(_ number: Int) throws(PickleFault) {
    if number < memo.count {
      if memo[number] == nil { memoized += 1 }
      memo[number] = top
      return
    }
    guard number < bytes.count else {
      throw .broken("its pickle stores object \(number), which is more than it can have")
    }
    let gap = number - memo.count
    try budget.makeRoom(for: gap + 1, in: &memo)
    memo.append(contentsOf: repeatElement(nil, count: gap))
    memo.append(top)
    memoized += 1
  }

  /// Stores the last value under the number of those stored before.
  mutating func memoizeNext() throws(PickleFault) { try memoize(memoized) }

  mutating func recall(_ number: Int) throws(PickleFault) {
    guard number < memo.count, let value = memo[number] else {
      throw .broken("its pickle recalls object \(number), which it never stored")
    }
    stack.append(value)
  }

  /// The number of a storage; all mentions of one key must agree.
  mutating func storage(_ found: PickleStorage) throws(PickleFault) -> Int {
    guard let number = storageNumbers[found.key] else {
      // With its places in the tables by key here and by number for those who read.
      try budget.take(144)
      try budget.makeRoom(for: 1, in: &storages)
      storages.append(found)
      storageNumbers[found.key] = storages.count - 1
      return storages.count - 1
    }
    let known = storages[number]
    guard known.type == found.type, known.count == found.count else {
      throw .broken("its pickle describes the data \(quoted(found.key)) in two ways")
    }
    return number
  }
}
