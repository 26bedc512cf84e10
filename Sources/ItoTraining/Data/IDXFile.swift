public import ItoTensors

/// A file in the IDX format of the MNIST family, plain or gzip-compressed.
///
/// A header of two zero bytes, an element type, a rank and that many big-endian 32-bit sizes is
/// followed by the elements. Only unsigned bytes are read: no published set uses another type.
///
/// - Source: LeCun, Cortes & Burges, *The MNIST Database*, "FILE FORMATS FOR THE MNIST DATABASE".
public struct IDXFile: Sendable {
  /// The elements, uint8, of the shape the header states.
  public let values: Tensor

  /// Reads the file at `path`.
  ///
  /// The memory taken is what the header declares, once that has been checked against the size of
  /// the file; a header that the file cannot fill is refused before.
  ///
  /// - Parameter limit: the most bytes of elements to accept.
  public init(_ path: String, limit: Int = 1 << 33) throws(DataError) {
    var reader = try DataFileReader(path)
    let dims = try Self.readHeader(&reader, limit: limit)
    let count = dims.reduce(1, *)
    var failure: DataError?
    values = Tensor(building: Shape(dims), dtype: .uint8) { out in
      do throws(DataError) {
        try reader.fill(UnsafeMutableRawBufferPointer(start: out, count: count))
        try reader.finish()
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
  }

  private static func readHeader(
    _ reader: inout DataFileReader, limit: Int
  ) throws(DataError) -> [Int] {
    let path = reader.path
    let start = try bytes(4, from: &reader)
    guard start[0] == 0, start[1] == 0, start[2] >= 0x08, start[2] <= 0x0E else {
      throw .corrupt(path: path, reason: "it does not begin as an IDX file does")
    }
    guard start[2] == 0x08 else {
      throw .corrupt(path: path, reason: "its elements are not unsigned bytes")
    }
    let rank = Int(start[3])
    guard (1...4).contains(rank) else {
      throw .corrupt(path: path, reason: "it has \(rank) axes; 1 to 4 are read")
    }
    let sizes = try bytes(4 * rank, from: &reader)
    let dims = (0..<rank).map { axis in
      (0..<4).reduce(0) { $0 << 8 | Int(sizes[4 * axis + $1]) }
    }
    var count = 1
    for size in dims {
      let (product, overflow) = count.multipliedReportingOverflow(by: size)
      guard !overflow, product <= min(limit, reader.sizeBound) else {
        throw .corrupt(
          path: path,
          reason: "its header declares a size of \(dims), more than the file can hold "
            + "or than the limit of \(limit) bytes")
      }
      count = product
    }
    return dims
  }

  private static func bytes(
    _ count: Int, from reader: inout DataFileReader
  ) throws(DataError) -> [UInt8] {
    var result = [UInt8](repeating: 0, count: count)
    var failure: DataError?
    result.withUnsafeMutableBytes { buffer in
      do throws(DataError) { try reader.fill(buffer) } catch { failure = error }
    }
    if let failure { throw failure }
    return result
  }
}
