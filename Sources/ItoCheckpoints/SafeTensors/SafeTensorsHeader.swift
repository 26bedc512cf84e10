import ItoComponents
public import ItoTensors

/// A tensor in a safetensors file.
public struct SafeTensorsEntry: Sendable, Hashable {
  /// Its name.
  public var name: String
  /// Its element type.
  public var type: SafeTensorsType
  /// Its shape.
  public var shape: Shape
  /// Its bytes, counted from the start of the data.
  public var range: Range<Int>
}

/// The header of a safetensors file, checked against every rule of the format.
struct SafeTensorsHeader: Sendable {
  var entries: [SafeTensorsEntry] = []
  var metadata: [String: String] = [:]
  /// Where the data begins in the file.
  var dataStart = 0

  static let longest = 100_000_000
  /// Texts in the metadata at most; the most seen in published files is a few hundred.
  static let mostTexts = 8192
  /// Axes at most; models have up to six.
  static let mostAxes = 16

  /// Reads the header of a file of `bytes`. Nothing in the file is trusted.
  init(_ bytes: UnsafeRawBufferPointer, file: String) throws(CheckpointError) {
    func corrupt(_ reason: String) -> CheckpointError { .corrupt(file: file, reason: reason) }

    guard bytes.count >= 8 else {
      throw corrupt("it has \(bytes.count) bytes, fewer than the 8 of a header's length")
    }
    let length = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
    guard length <= Self.longest else {
      throw corrupt("its header claims \(length) bytes, more than the \(Self.longest) allowed")
    }
    guard Int(length) <= bytes.count - 8 else {
      throw corrupt("its header claims \(length) bytes and the file ends after \(bytes.count - 8)")
    }
    dataStart = 8 + Int(length)
    let text = UnsafeRawBufferPointer(rebasing: bytes[8..<dataStart])
    guard text.first == UInt8(ascii: "{") else {
      throw corrupt("its header does not begin with '{'")
    }
    let json: JSONValue
    do {
      json = try text.withMemoryRebound(to: UInt8.self) { (text) throws(JSONError) in
        try JSONValue.parse(text)
      }
    } catch {
      throw corrupt("its header is not valid: \(error)")
    }
    let object = json.object ?? [:]
    // What an entry takes is bounded by its text, as long as the list has no room to spare.
    entries.reserveCapacity(object.count)
    for (name, value) in object {
      do {
        if name == "__metadata__" {
          metadata = try Self.metadata(value)
        } else {
          entries.append(try Self.entry(name, value))
        }
      } catch {
        throw corrupt("in its header, \(quoted(name)) \(error.text)")
      }
    }
    do {
      try Self.checkLayout(&entries, dataLength: bytes.count - dataStart)
    } catch {
      throw corrupt(error.text)
    }
  }
}

/// A broken rule, to be put into a sentence.
private struct Violation: Error {
  var text: String
  init(_ text: String) { self.text = text }
}

extension SafeTensorsHeader {
  private static func metadata(_ value: JSONValue) throws(Violation) -> [String: String] {
    guard let object = value.object else { throw Violation("is \(value.kind), not an object") }
    guard object.count <= mostTexts else {
      throw Violation("has \(object.count) texts; \(mostTexts) are allowed")
    }
    var result: [String: String] = [:]
    for (key, value) in object {
      guard let text = value.string else {
        throw Violation("has \(value.kind) under \(quoted(key)); only text is allowed")
      }
      result[key] = text
    }
    return result
  }

  private static func entry(
    _ name: String, _ value: JSONValue
  ) throws(Violation) -> SafeTensorsEntry {
    guard let object = value.object else { throw Violation("is \(value.kind), not an object") }
    guard let typeName = object["dtype"]?.string else { throw Violation("has no dtype") }
    guard let type = SafeTensorsType(rawValue: typeName) else {
      throw Violation("has the unknown dtype \(quoted(typeName))")
    }
    let dims = try counts(object["shape"], "shape")
    let offsets = try counts(object["data_offsets"], "data_offsets")
    guard offsets.count == 2, offsets[0] <= offsets[1] else {
      throw Violation("has the data_offsets \(offsets); they must be a begin and an end")
    }
    let bytes = try byteCount(dims, type)
    guard offsets[1] - offsets[0] == bytes else {
      throw Violation(
        "takes \(bytes) bytes as \(typeName) \(dims), but its data_offsets \(offsets) span "
          + "\(offsets[1] - offsets[0])")
    }
    return SafeTensorsEntry(
      name: name, type: type, shape: Shape(dims), range: offsets[0]..<offsets[1])
  }

  private static func counts(_ value: JSONValue?, _ what: String) throws(Violation) -> [Int] {
    guard let elements = value?.array else { throw Violation("has no \(what)") }
    guard elements.count <= mostAxes else {
      throw Violation("has \(elements.count) numbers in its \(what); \(mostAxes) are allowed")
    }
    var result: [Int] = []
    result.reserveCapacity(elements.count)
    for element in elements {
      guard let count = element.int, count >= 0 else {
        throw Violation(
          "has \(element.brief) in its \(what), which must be whole numbers from 0 on")
      }
      result.append(count)
    }
    return result
  }

  private static func byteCount(_ dims: [Int], _ type: SafeTensorsType) throws(Violation) -> Int {
    // Zeros are left out, so that no part of the shape can overflow later either.
    var bits = type.bitWidth
    for dim in dims where dim != 0 {
      let (product, overflows) = bits.multipliedReportingOverflow(by: dim)
      if overflows { throw Violation("has the shape \(dims), which overflows") }
      bits = product
    }
    if dims.contains(0) { return 0 }
    guard bits % 8 == 0 else {
      throw Violation("does not fill whole bytes as \(type.rawValue) \(dims)")
    }
    return bits / 8
  }

  /// Sorts the entries by place and checks that they fill the data without holes or overlaps.
  private static func checkLayout(
    _ entries: inout [SafeTensorsEntry], dataLength: Int
  ) throws(Violation) {
    entries.sort {
      ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound)
    }
    var end = 0
    for entry in entries {
      // Built only when something is wrong: quoting thousands of names takes longer than the check.
      var name: String { quoted(entry.name) }
      let begin = entry.range.lowerBound
      guard begin == end else {
        throw Violation(
          begin < end
            ? "the tensor \(name) begins at byte \(begin), within the one before it, which ends at \(end)"
            : "there is a hole from byte \(end) to \(begin) before the tensor \(name)")
      }
      end = entry.range.upperBound
      guard end <= dataLength else {
        throw Violation(
          "the tensor \(name) ends at byte \(end) of the data, which has \(dataLength)")
      }
    }
    guard end == dataLength else {
      throw Violation("\(dataLength - end) bytes follow the last tensor")
    }
  }
}
