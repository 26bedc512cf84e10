import ItoTensors

/// Which part of a published set.
public enum DataSplit: String, Sendable, Hashable, CaseIterable {
  case train, test
}

/// The CIFAR sets in their binary form: records of one label byte (CIFAR-100: coarse, then fine) and
/// 3072 bytes, 32 × 32 pixels of red, then green, then blue. Files may be gzip-compressed.
///
/// - Source: Krizhevsky 2009, *Learning Multiple Layers of Features from Tiny Images*; layout from
///   the data sets' page, "Binary version".
public enum CIFAR: String, Sendable, Hashable, CaseIterable {
  /// 10 classes, 50,000 and 10,000 pictures.
  case cifar10
  /// 100 classes, 50,000 and 10,000 pictures.
  case cifar100

  private static let side = 32
  private static let pictureBytes = 3 * side * side

  private var labelBytes: Int { self == .cifar10 ? 1 : 2 }
  private var classCount: Int { self == .cifar10 ? 10 : 100 }
  private var nameFile: String { self == .cifar10 ? "batches.meta.txt" : "fine_label_names.txt" }

  private func files(_ split: DataSplit) -> [String] {
    switch (self, split) {
    case (.cifar10, .train): (1...5).map { "data_batch_\($0).bin" }
    case (.cifar10, .test): ["test_batch.bin"]
    case (.cifar100, _): ["\(split.rawValue).bin"]
    }
  }

  /// Reads a split from the folder that the published archive unpacks to.
  ///
  /// A record whose label is none of the classes is skipped and named.
  public func read(_ folder: String, split: DataSplit) throws(DataError) -> ImageSet {
    var records = RecordBuffer(header: labelBytes, payload: Self.pictureBytes)
    for name in files(split) { try records.append(try located(name, in: folder)) }
    var labels: [Int32] = []
    labels.reserveCapacity(records.count)
    for i in 0..<records.count { labels.append(Int32(records.headerByte(labelBytes - 1, of: i))) }
    let pixels = records.bytes.withUnsafeBytes {
      Tensor.interleaving(
        $0, header: labelBytes, height: Self.side, width: Self.side, channels: 3)
    }
    let names = try classNames(in: folder)
    return try ImageSet(pixels: pixels, labels: labels, classNames: names)
      .droppingBadLabels(classCount: classCount) { records.name(of: $0) }
  }

  private func located(_ name: String, in folder: String) throws(DataError) -> String {
    let plain = folder + "/" + name
    return isRegularFile(plain + ".gz") && !isRegularFile(plain) ? plain + ".gz" : plain
  }

  private func classNames(in folder: String) throws(DataError) -> [String] {
    let path = folder + "/" + nameFile
    guard isRegularFile(path) else { return [] }
    let names = try readText(path).split(whereSeparator: \.isNewline).map(String.init)
      .filter { !$0.isEmpty }
    guard names.count == classCount else {
      throw .corrupt(path: path, reason: "it names \(names.count) classes, not \(classCount)")
    }
    return names
  }
}

/// The records of several files, one after another, with where each came from.
private struct RecordBuffer {
  let header: Int
  let payload: Int
  var bytes: [UInt8] = []
  var files: [(path: String, end: Int)] = []

  init(header: Int, payload: Int) {
    self.header = header
    self.payload = payload
  }

  var size: Int { header + payload }
  var count: Int { bytes.count / size }

  func headerByte(_ i: Int, of record: Int) -> UInt8 { bytes[record * size + i] }

  func name(of record: Int) -> String {
    var first = 0
    for file in files {
      if record < file.end { return "'\(file.path)' record \(record - first)" }
      first = file.end
    }
    return "record \(record)"
  }

  /// Reads whole records until the file ends, a block of them at a time.
  mutating func append(_ path: String) throws(DataError) {
    var reader = try DataFileReader(path)
    let blockSize = 1024 * size
    while true {
      var failure: DataError?
      var got = 0
      let block = [UInt8](unsafeUninitializedCapacity: blockSize) { buffer, count in
        do throws(DataError) {
          got = try reader.read(into: UnsafeMutableRawBufferPointer(buffer))
        } catch {
          failure = error
        }
        count = got
      }
      if let failure { throw failure }
      guard got % size == 0 else {
        throw .corrupt(path: path, reason: "it ends in the middle of a record of \(size) bytes")
      }
      bytes += block
      guard bytes.count <= 1 << 32 else {
        throw .corrupt(path: path, reason: "it unpacks to more than 4 GiB")
      }
      if got < blockSize { break }
    }
    files.append((path, count))
  }
}
