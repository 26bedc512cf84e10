import ItoTensors

/// Instructions that name things and put objects together.
extension PickleMachine {
  /// Carries out `code` if it is such an instruction.
  mutating func runObject(_ code: UInt8) throws(PickleFault) -> Bool {
    switch UnicodeScalar(code) {
    case "c":
      let module = try takeLine()
      try pushGlobal(module, try takeLine())
    case "\u{93}":
      guard case .text(let name) = try pop(), case .text(let module) = try pop() else {
        throw .broken("its pickle names something without text")
      }
      try pushGlobal(module, name)
    case "R", "\u{81}":
      guard case .tuple(let place) = try pop() else {
        throw .broken("its pickle makes an object without a tuple of arguments")
      }
      let callee = try pop()
      stack.append(try reduce(callee, arena[place]))
    case "b":
      // The state of an object that describes itself already: hooks, metadata of modules.
      _ = try pop()
      switch top {
      case .dictionary, .tensor, .opaque: break
      default: throw .broken("its pickle gives a state to something that has none")
      }
    case "Q": stack.append(.storage(try persistent(try pop())))
    case "i":
      let module = try takeLine()
      throw .refused(PickleMachine.spelled(module, try takeLine()))
    case "o": throw .refused("an object made by the instruction OBJ")
    case "P": throw .refused("the outside object '\(try takeLine())'")
    case "\u{92}": throw .refused("an object made by the instruction NEWOBJ_EX")
    case "\u{82}", "\u{83}", "\u{84}": throw .refused("a name from Python's extension registry")
    case "\u{97}", "\u{98}": throw .refused("an outside buffer")
    default: return false
    }
    return true
  }

  /// A name for people, or its beginning. Functions of `os` call themselves `posix` or `nt`.
  private static func spelled(_ module: String, _ name: String) -> String {
    let full = "\(module.prefix(200)).\(name.prefix(200))"
    return module == "posix" || module == "nt" ? "\(full) (Python's os.\(name))" : full
  }

  private mutating func pushGlobal(_ module: String, _ name: String) throws(PickleFault) {
    guard let global = PickleGlobal(module: module, name: name) else {
      throw .refused(PickleMachine.spelled(module, name))
    }
    stack.append(.global(global))
  }

  /// What calling `callee` would describe.
  private mutating func reduce(
    _ callee: PickleValue, _ arguments: [PickleValue]
  ) throws(PickleFault) -> PickleValue {
    guard case .global(let global) = callee else {
      if case .opaque = callee { return .opaque }
      throw .broken("its pickle calls something that has no name")
    }
    switch global {
    case .rebuildTensor: return .tensor(try tensor(arguments))
    case .rebuildParameter:
      guard case .tensor(let number)? = arguments.first else {
        throw .broken("its pickle has a parameter without a tensor")
      }
      return .tensor(number)
    case .rebuildFromType:
      guard arguments.count >= 3, case .global(.rebuildTensor) = arguments[0],
        case .tuple(let place) = arguments[2]
      else { throw .refused("a tensor of a type of its own") }
      return .tensor(try tensor(arena[place]))
    case .dictionary: return .dictionary(try place(try pairs(arguments)))
    case .size:
      guard case .tuple(let place)? = arguments.first else {
        throw .broken("its pickle has a size without numbers")
      }
      return .tuple(place)
    case .passedOver: return .opaque
    case .storage: throw .refused("a new storage of its own")
    }
  }

  /// The keys and values in turn that `OrderedDict(arguments)` holds.
  private mutating func pairs(
    _ arguments: [PickleValue]
  ) throws(PickleFault) -> [PickleValue] {
    guard let first = arguments.first else { return [] }
    guard case .list(let list) = first else { throw .broken("its pickle has a bad dictionary") }
    var result: [PickleValue] = []
    try budget.makeRoom(for: 2 * arena[list].count, in: &result)
    for item in arena[list] {
      switch item {
      case .tuple(let pair), .list(let pair):
        guard arena[pair].count == 2 else { throw .broken("its pickle has a bad dictionary") }
        result += arena[pair]
      default: throw .broken("its pickle has a bad dictionary")
      }
    }
    return result
  }

  /// `('storage', type, key, location, count)`
  private mutating func persistent(_ id: PickleValue) throws(PickleFault) -> Int {
    guard case .tuple(let place) = id, arena[place].count >= 5,
      case .text("storage") = arena[place][0], case .text(let key) = arena[place][2],
      case .int(let count) = arena[place][4], count >= 0
    else { throw .broken("its pickle refers to data in an unknown way") }
    guard case .global(.storage(let type)) = arena[place][1] else {
      throw .broken("its pickle refers to data of an unknown type")
    }
    if arena[place].count > 5 {
      guard case .none = arena[place][5] else {
        throw .refused("a view of another storage, which only PyTorch before 0.4 wrote")
      }
    }
    return try storage(PickleStorage(type: type, key: key, count: count))
  }

  /// `(storage, offset, size, strides, …)`
  private mutating func tensor(_ arguments: [PickleValue]) throws(PickleFault) -> Int {
    guard arguments.count >= 4, case .storage(let storage) = arguments[0],
      case .int(let offset) = arguments[1], let sizes = integers(arguments[2]),
      let strides = integers(arguments[3]), sizes.count == strides.count, offset >= 0
    else { throw .broken("its pickle describes a tensor in an unknown way") }
    try checkExtent(sizes, strides, offset, limit: storages[storage].count)
    try budget.take(sizes.count, of: Int.self)
    try budget.take(strides.count, of: Int.self)
    try budget.makeRoom(for: 1, in: &tensors)
    tensors.append(
      PickleTensor(storage: storage, offset: offset, shape: Shape(sizes), strides: strides))
    return tensors.count - 1
  }

  private func integers(_ value: PickleValue) -> [Int]? {
    guard case .tuple(let place) = value, arena[place].count <= 16 else { return nil }
    var result: [Int] = []
    result.reserveCapacity(arena[place].count)
    for case .int(let number) in arena[place] where number >= 0 { result.append(number) }
    return result.count == arena[place].count ? result : nil
  }

  /// Checks that every element lies within the storage, and that there are no more elements than
  /// it has, so that a tensor cannot be larger than the data it comes from.
  private func checkExtent(
    _ sizes: [Int], _ strides: [Int], _ offset: Int, limit: Int
  ) throws(PickleFault) {
    var last = offset
    var count = 1
    var overflows = false
    for (size, stride) in zip(sizes, strides) {
      let (total, a) = count.multipliedReportingOverflow(by: max(1, size))
      let (reach, b) = max(0, size - 1).multipliedReportingOverflow(by: stride)
      let (end, c) = last.addingReportingOverflow(reach)
      overflows = overflows || a || b || c
      (count, last) = (total, end)
    }
    let isEmpty = sizes.contains(0)
    guard !overflows, isEmpty ? offset <= limit : last < limit && count <= limit else {
      throw .broken(
        "its pickle has a tensor \(sizes) from element \(offset) on in data of \(limit) elements")
    }
  }
}
