/// A JSON document in about as many bytes as its text, and a place in it.
///
/// A value is a tag and what belongs to it; numbers are in the processor's byte order:
///
///     0…127            the integer of that value
///     128…191          a string of 0…63 bytes of UTF-8, which follow
///     longString       UInt32 bytes, UTF-8
///     null, no, yes, notANumber, infinity, minusInfinity
///     int16, int32, int64, double
///     decimal + n      a double as it was written, in n ≤ 7 characters
///     emptyArray, emptyObject
///     shortArray       UInt8 bytes, UInt8 elements, the elements
///     shortObject      the same of up to 16 members; a member is a string and a value
///     longArray        UInt32 bytes, UInt32 elements, the elements, jumps
///     longObject       the same with members, and slots
///
/// Jumps are the distances of every 16th item from the first (UInt32 each, the first left out). Slots are
/// a hash table: distances of members from the first by the hash of their key, with linear probing.
/// At most 1.7 bytes are taken for a byte of text, in objects with many keys of one letter.
struct PackedJSON: Sendable {
  let bytes: [UInt8]
  let place: Int

  enum Tag {
    static let string: UInt8 = 0x80
    static let longString: UInt8 = 0xC0
    static let null: UInt8 = 0xC1
    static let no: UInt8 = 0xC2
    static let yes: UInt8 = 0xC3
    static let notANumber: UInt8 = 0xC4
    static let infinity: UInt8 = 0xC5
    static let minusInfinity: UInt8 = 0xC6
    static let int16: UInt8 = 0xC7
    static let int32: UInt8 = 0xC8
    static let int64: UInt8 = 0xC9
    static let double: UInt8 = 0xCA
    static let emptyArray: UInt8 = 0xCB
    static let emptyObject: UInt8 = 0xCC
    static let shortArray: UInt8 = 0xCD
    static let shortObject: UInt8 = 0xCE
    static let longArray: UInt8 = 0xCF
    static let longObject: UInt8 = 0xD0
    static let decimal: UInt8 = 0xE0
  }

  /// Items from one jump to the next.
  static let stride = 16
  /// Members a short object may have: they are compared one by one.
  static let shortest = 16

  private func read<Result>(_ body: (PackedJSONReader) -> Result) -> Result {
    bytes.withUnsafeBytes { body(PackedJSONReader(bytes: $0)) }
  }

  /// The value at this place.
  var value: JSONValue { value(at: place) }

  /// The value at another place.
  func value(at place: Int) -> JSONValue {
    switch bytes[place] {
    case Tag.emptyArray: .array([])
    case Tag.emptyObject: .object([:])
    case Tag.shortArray, Tag.longArray:
      .array(JSONArray(packed: PackedJSON(bytes: bytes, place: place)))
    case Tag.shortObject, Tag.longObject:
      .object(JSONObject(packed: PackedJSON(bytes: bytes, place: place)))
    default: read { $0.scalar(at: place) }
    }
  }

  /// The string at `place`.
  func text(at place: Int) -> String { read { $0.text(at: place) } }

  /// The place past the value at `place`.
  func end(of place: Int) -> Int { read { $0.end(of: place) } }

  /// Number of elements or members of the container here.
  var count: Int { read { $0.container(at: self.place).count } }

  /// Where the first element or member of the container here is.
  var first: Int { read { $0.container(at: self.place).first } }

  /// Where an element or member of the container here is.
  func item(_ number: Int) -> Int { read { $0.item(number, of: $0.container(at: self.place)) } }

  /// Where the value of `key` is in the object here.
  func member(_ key: String) -> Int? {
    var key = key
    return key.withUTF8 { utf8 in
      read { reader in
        let object = reader.container(at: place)
        guard object.slotCount > 0 else {
          var at = object.first
          for _ in 0..<object.count {
            let value = reader.end(of: at)
            if reader.key(at: at, is: utf8) { return value }
            at = reader.end(of: value)
          }
          return nil
        }
        let slot = reader.slot(of: utf8, in: object)
        return reader.member(inSlot: slot, of: object).map { reader.end(of: $0) }
      }
    }
  }
}
