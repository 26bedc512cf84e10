// How what is read is written down; see `PackedJSON`.
extension JSONParser {
  typealias Tag = PackedJSON.Tag

  private mutating func append<T: BitwiseCopyable>(_ number: T) {
    withUnsafeBytes(of: number) { packed.append(contentsOf: $0) }
  }

  mutating func pack(_ value: Int64) {
    if (0..<Int64(Tag.string)).contains(value) {
      packed.append(UInt8(value))
    } else if let short = Int16(exactly: value) {
      packed.append(Tag.int16)
      append(short)
    } else if let middle = Int32(exactly: value) {
      packed.append(Tag.int32)
      append(middle)
    } else {
      packed.append(Tag.int64)
      append(value)
    }
  }

  /// Packs a double; as it was written when that is shorter.
  mutating func pack(_ value: Double, written text: UnsafeBufferPointer<UInt8>) {
    if text.count < MemoryLayout<Double>.size {
      packed.append(Tag.decimal + UInt8(text.count))
      packed.append(contentsOf: text)
    } else {
      packed.append(Tag.double)
      append(value)
    }
  }

  mutating func pack(text: UnsafeBufferPointer<UInt8>) {
    if text.count < Int(Tag.longString - Tag.string) {
      packed.append(Tag.string + UInt8(text.count))
    } else {
      packed.append(Tag.longString)
      append(UInt32(text.count))
    }
    packed.append(contentsOf: text)
  }

  /// Puts the right tag before a string that was begun at `tag` as a short one.
  mutating func endText(_ tag: Int) {
    let count = packed.count - tag - 1
    if count < Int(Tag.longString - Tag.string) {
      packed[tag] = Tag.string + UInt8(count)
    } else {
      packed[tag] = Tag.longString
      packed.insert(contentsOf: repeatElement(0, count: 4), at: tag + 1)
      store(UInt32(count), tag + 1)
    }
  }

  /// Begins an array or object as a short one and returns where it is.
  mutating func beginContainer(_ tag: UInt8) -> Int {
    let start = packed.count
    packed.append(tag)
    packed.append(0)
    packed.append(0)
    return start
  }

  /// Ends the array at `start`.
  mutating func endArray(_ start: Int, count: Int) {
    let size = packed.count - start - 3
    if size <= UInt8.max {
      packed[start + 1] = UInt8(size)
      packed[start + 2] = UInt8(count)
    } else {
      lengthen(start, tag: Tag.longArray, size: size, count: count)
      storeJumps(start)
    }
  }

  /// Ends the object at `start`.
  ///
  /// - Returns: the number of the first member whose key an earlier one has, nil when there is none.
  mutating func endObject(_ start: Int, count: Int) -> Int? {
    let size = packed.count - start - 3
    if size <= UInt8.max, count <= PackedJSON.shortest {
      packed[start + 1] = UInt8(size)
      packed[start + 2] = UInt8(count)
      return repeatedMember(start, count: count)
    }
    lengthen(start, tag: Tag.longObject, size: size, count: count)
    storeJumps(start)
    return storeSlots(start)
  }

  /// Turns the short container at `start` into a long one, with room for its jumps and free slots.
  private mutating func lengthen(_ start: Int, tag: UInt8, size: Int, count: Int) {
    packed[start] = tag
    packed.insert(contentsOf: repeatElement(0, count: 6), at: start + 3)
    store(UInt32(size), start + 1)
    store(UInt32(count), start + 5)
    let container = packed.withUnsafeBytes { PackedJSONReader(bytes: $0).container(at: start) }
    packed.append(contentsOf: repeatElement(0xFF, count: container.end - packed.count))
  }

  private mutating func store(_ number: UInt32, _ place: Int) {
    packed.withUnsafeMutableBytes {
      $0.storeBytes(of: number, toByteOffset: place, as: UInt32.self)
    }
  }

  /// Calls `body` for the items of the container at `start` with what reads and writes the bytes, the
  /// item's number and its place, until it returns true; returns the number of that item.
  private mutating func firstItem(
    of start: Int,
    where body: (
      UnsafeMutableRawBufferPointer, PackedJSONReader.Container, _ number: Int, _ place: Int
    ) -> Bool
  ) -> Int? {
    packed.withUnsafeMutableBytes { raw in
      let reader = PackedJSONReader(bytes: UnsafeRawBufferPointer(raw))
      let container = reader.container(at: start)
      var at = container.first
      for number in 0..<container.count {
        if body(raw, container, number, at) { return number }
        at = reader.end(of: at)
        if container.isObject { at = reader.end(of: at) }
      }
      return nil
    }
  }

  private mutating func storeJumps(_ start: Int) {
    _ = firstItem(of: start) { raw, container, number, place in
      if number > 0, number.isMultiple(of: PackedJSON.stride) {
        raw.storeBytes(
          of: UInt32(place - container.first),
          toByteOffset: container.jumps + 4 * (number / PackedJSON.stride - 1), as: UInt32.self)
      }
      return false
    }
  }

  private mutating func storeSlots(_ start: Int) -> Int? {
    firstItem(of: start) { raw, object, _, place in
      let reader = PackedJSONReader(bytes: UnsafeRawBufferPointer(raw))
      let slot = reader.slot(
        of: reader.utf8(at: place).assumingMemoryBound(to: UInt8.self), in: object)
      if reader.member(inSlot: slot, of: object) != nil { return true }
      raw.storeBytes(
        of: UInt32(place - object.first), toByteOffset: object.slots + 4 * slot, as: UInt32.self)
      return false
    }
  }

  private mutating func repeatedMember(_ start: Int, count: Int) -> Int? {
    if count < 2 { return nil }
    return firstItem(of: start) { raw, object, number, place in
      let reader = PackedJSONReader(bytes: UnsafeRawBufferPointer(raw))
      let key = reader.utf8(at: place).assumingMemoryBound(to: UInt8.self)
      var earlier = object.first
      for _ in 0..<number {
        if reader.key(at: earlier, is: key) { return true }
        earlier = reader.end(of: reader.end(of: earlier))
      }
      return false
    }
  }
}
