/// Finds its way in the bytes of packed JSON, also while they are being written.
struct PackedJSONReader {
  typealias Tag = PackedJSON.Tag
  let bytes: UnsafeRawBufferPointer

  /// How a container is laid out.
  struct Container {
    var count: Int
    var isObject: Bool
    /// Where its items begin.
    var first: Int
    /// Where the jumps begin, after the items.
    var jumps: Int
    /// Where the slots begin, after the jumps.
    var slots: Int
    var slotCount = 0
    var end: Int { slots + 4 * slotCount }
  }

  func number<T: BitwiseCopyable>(_: T.Type, _ place: Int) -> T {
    bytes.loadUnaligned(fromByteOffset: place, as: T.self)
  }

  func container(at place: Int) -> Container {
    let tag = bytes[place]
    let isObject = tag == Tag.shortObject || tag == Tag.longObject
    if tag == Tag.shortArray || tag == Tag.shortObject {
      let end = place + 3 + Int(bytes[place + 1])
      return Container(
        count: Int(bytes[place + 2]), isObject: isObject, first: place + 3, jumps: end, slots: end)
    }
    let count = Int(number(UInt32.self, place + 5))
    let jumps = place + 9 + Int(number(UInt32.self, place + 1))
    return Container(
      count: count, isObject: isObject, first: place + 9, jumps: jumps,
      slots: jumps + 4 * ((count - 1) / PackedJSON.stride),
      slotCount: isObject ? Self.slotCount(count) : 0)
  }

  /// Slots of an object with so many members: two thirds are taken.
  static func slotCount(_ count: Int) -> Int { count + count / 2 + 1 }

  func end(of place: Int) -> Int {
    let tag = bytes[place]
    switch tag {
    case ..<Tag.string: return place + 1
    case ..<Tag.longString: return place + 1 + Int(tag - Tag.string)
    case Tag.longString: return place + 5 + Int(number(UInt32.self, place + 1))
    case Tag.int16: return place + 3
    case Tag.int32: return place + 5
    case Tag.int64, Tag.double: return place + 9
    case Tag.shortArray, Tag.shortObject, Tag.longArray, Tag.longObject:
      return container(at: place).end
    case Tag.decimal...: return place + 1 + Int(tag - Tag.decimal)
    default: return place + 1
    }
  }

  func item(_ number: Int, of container: Container) -> Int {
    let jump = container.jumps == container.slots ? 0 : number / PackedJSON.stride
    var at = container.first
    if jump > 0 { at += Int(self.number(UInt32.self, container.jumps + 4 * (jump - 1))) }
    for _ in jump * PackedJSON.stride..<number {
      at = end(of: at)
      if container.isObject { at = end(of: at) }
    }
    return at
  }

  /// The UTF-8 of the string at `place`.
  func utf8(at place: Int) -> UnsafeRawBufferPointer {
    let isLong = bytes[place] == Tag.longString
    return UnsafeRawBufferPointer(rebasing: bytes[(place + (isLong ? 5 : 1))..<end(of: place)])
  }

  func text(at place: Int) -> String { String(decoding: utf8(at: place), as: UTF8.self) }

  /// The value at `place`, which holds no others.
  func scalar(at place: Int) -> JSONValue {
    let tag = bytes[place]
    switch tag {
    case ..<Tag.string: return .integer(Int64(tag))
    case ...Tag.longString: return .string(text(at: place))
    case Tag.no: return .bool(false)
    case Tag.yes: return .bool(true)
    case Tag.notANumber: return .double(.nan)
    case Tag.infinity: return .double(.infinity)
    case Tag.minusInfinity: return .double(-.infinity)
    case Tag.int16: return .integer(Int64(number(Int16.self, place + 1)))
    case Tag.int32: return .integer(Int64(number(Int32.self, place + 1)))
    case Tag.int64: return .integer(number(Int64.self, place + 1))
    case Tag.double: return .double(number(Double.self, place + 1))
    case Tag.decimal...:
      let digits = UnsafeRawBufferPointer(rebasing: bytes[(place + 1)..<end(of: place)])
      return Double(String(decoding: digits, as: UTF8.self)).map { .double($0) } ?? .null
    default: return .null
    }
  }
}

// Keys.
extension PackedJSONReader {
  /// Whether the string at `place` is `key`, as Swift compares strings.
  func key(at place: Int, is key: UnsafeBufferPointer<UInt8>) -> Bool {
    let found = utf8(at: place)
    if found.count == key.count, found.elementsEqual(key) { return true }
    // Only characters beyond ASCII can be spelled in several ways.
    guard found.contains(where: { $0 >= 0x80 }) || key.contains(where: { $0 >= 0x80 }) else {
      return false
    }
    return String(decoding: found, as: UTF8.self) == String(decoding: key, as: UTF8.self)
  }

  /// The slot that holds `key`, or the free one where it would be.
  func slot(of key: UnsafeBufferPointer<UInt8>, in object: Container) -> Int {
    let hash = UInt64(truncatingIfNeeded: String(decoding: key, as: UTF8.self).hashValue)
    var slot = Int(hash.multipliedFullWidth(by: UInt64(object.slotCount)).high)
    while let member = member(inSlot: slot, of: object), !self.key(at: member, is: key) {
      slot = slot + 1 == object.slotCount ? 0 : slot + 1
    }
    return slot
  }

  /// Where the member in a slot is; nil when the slot is free.
  func member(inSlot slot: Int, of object: Container) -> Int? {
    let distance = number(UInt32.self, object.slots + 4 * slot)
    return distance == .max ? nil : object.first + Int(distance)
  }
}
