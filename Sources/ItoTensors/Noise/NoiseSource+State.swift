/// Bytes that are not a saved noise source.
public struct NoiseStateError: Error, Sendable, Hashable, CustomStringConvertible {
  /// What is wrong with them.
  public var reason: String

  /// What is wrong and what to do.
  public var description: String {
    "the saved state of the random numbers is damaged: \(reason). "
      + "Use an earlier checkpoint, or start the random numbers from a seed."
  }
}

// Layout, little-endian: "noise" and a version byte; engine; flags; number of streams (4 bytes);
// for each stream seed (8), position (8), whether there is a spare (1), the spare (8), then the 624
// words of a twister.
extension NoiseSource {
  private static let signature = Array("noise\u{1}".utf8)
  private static let engines: [Engine] = [.torch, .torchScalar, .philox, .cuda]

  /// The whole state, so that `init(decoding:)` continues where this source is. 37 bytes for one
  /// Philox stream and about 2.5 kB for one of torch's.
  public var encoded: [UInt8] {
    var bytes = Self.signature
    bytes.append(UInt8(Self.engines.firstIndex(of: engine) ?? 0))
    bytes.append(channelsFirst ? 1 : 0)
    bytes.append(littleEndian: UInt32(streams.count))
    for stream in streams {
      bytes.append(littleEndian: stream.seed)
      bytes.append(littleEndian: stream.position)
      bytes.append(stream.spare == nil ? 0 : 1)
      bytes.append(littleEndian: stream.spare?.bitPattern ?? 0)
      for word in stream.words { bytes.append(littleEndian: word) }
    }
    return bytes
  }

  /// The source that `encoded` describes.
  public init(decoding bytes: [UInt8]) throws(NoiseStateError) {
    var reader = StateReader(bytes: bytes)
    for byte in Self.signature where try reader.next() as UInt8 != byte {
      throw NoiseStateError(reason: "it does not begin as one")
    }
    let engine = Int(try reader.next() as UInt8)
    guard Self.engines.indices.contains(engine) else {
      throw NoiseStateError(reason: "its engine, number \(engine), is unknown")
    }
    let flags: UInt8 = try reader.next()
    guard flags < 2 else { throw NoiseStateError(reason: "it has unknown flags") }
    let count: UInt32 = try reader.next()
    guard count > 0 else { throw NoiseStateError(reason: "it has no stream") }
    self.init(engine: Self.engines[engine], channelsFirst: flags == 1, streams: [])
    for _ in 0..<count { streams.append(try reader.stream(self.engine)) }
    guard reader.at == bytes.count else {
      throw NoiseStateError(reason: "\(bytes.count - reader.at) bytes follow its end")
    }
  }
}

private struct StateReader {
  let bytes: [UInt8]
  var at = 0

  mutating func next<T: FixedWidthInteger>() throws(NoiseStateError) -> T {
    let size = T.bitWidth / 8
    guard bytes.count - at >= size else {
      throw NoiseStateError(reason: "it ends after \(bytes.count) bytes")
    }
    defer { at += size }
    return bytes[at..<(at + size)].reversed().reduce(0) { $0 << 8 | T(truncatingIfNeeded: $1) }
  }

  mutating func stream(_ engine: NoiseSource.Engine) throws(NoiseStateError) -> NoiseStream {
    // Seeding here would be work thrown away, were `words` not replaced below.
    var stream = NoiseStream(seed: try next(), engine: .philox)
    stream.position = try next()
    let hasSpare: UInt8 = try next()
    let spare: UInt64 = try next()
    stream.spare = hasSpare == 0 ? nil : Double(bitPattern: spare)
    if engine.isTorch {
      guard stream.position <= 624 else {
        throw NoiseStateError(reason: "position \(stream.position) is beyond the 624 words")
      }
      stream.words.reserveCapacity(624)
      for _ in 0..<624 { stream.words.append(try next()) }
    }
    return stream
  }
}

extension [UInt8] {
  fileprivate mutating func append<T: FixedWidthInteger>(littleEndian value: T) {
    for shift in stride(from: 0, to: T.bitWidth, by: 8) {
      append(UInt8(truncatingIfNeeded: value >> shift))
    }
  }
}
