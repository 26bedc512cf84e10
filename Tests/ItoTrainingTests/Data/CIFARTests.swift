import ItoTensors
import Testing

@testable import ItoTraining

@Suite struct CIFARTests {
  let folder = TemporaryFolder()

  /// Pixel (y, x, c) of picture i is a function that tells all four apart.
  private func value(_ i: Int, _ y: Int, _ x: Int, _ c: Int) -> UInt8 {
    UInt8(truncatingIfNeeded: 131 * i + 31 * y + 7 * x + 101 * c)
  }

  private func record(_ i: Int, labels: [UInt8]) -> [UInt8] {
    var bytes = labels
    for c in 0..<3 {
      for y in 0..<32 { for x in 0..<32 { bytes.append(value(i, y, x, c)) } }
    }
    return bytes
  }

  private func expectPictures(_ set: ImageSet) {
    let pixels = set.pixels.integers
    var wrong = 0
    for i in 0..<set.count {
      for y in 0..<32 {
        for x in 0..<32 {
          for c in 0..<3 where pixels[((i * 32 + y) * 32 + x) * 3 + c] != Int(value(i, y, x, c)) {
            wrong += 1
          }
        }
      }
    }
    #expect(wrong == 0)
  }

  @Test("CIFAR-10: five files in order, planes to pixels, names")
  func cifar10() throws {
    for file in 0..<5 {
      let bytes = record(2 * file, labels: [UInt8(file)]) + record(2 * file + 1, labels: [9])
      try folder.write(
        "data_batch_\(file + 1).bin" + (file == 2 ? ".gz" : ""), file == 2 ? gzipped(bytes) : bytes)
    }
    let names = (0..<10).map { "class\($0)" }
    try folder.write("batches.meta.txt", names.joined(separator: "\n") + "\n\n")
    let set = try CIFAR.cifar10.read(folder.path, split: .train)
    #expect(set.pixels.shape == [10, 32, 32, 3])
    #expect(set.labels == [0, 9, 1, 9, 2, 9, 3, 9, 4, 9])
    #expect(set.classNames == names)
    #expect(set.classCount == 10)
    expectPictures(set)
  }

  @Test("CIFAR-100: the fine label counts")
  func cifar100() throws {
    try folder.write("test.bin", record(0, labels: [3, 77]) + record(1, labels: [4, 99]))
    let set = try CIFAR.cifar100.read(folder.path, split: .test)
    #expect(set.labels == [77, 99])
    expectPictures(set)
  }

  @Test("A bad label is skipped and named; more than one in a hundred stops")
  func badLabels() throws {
    let good = (0..<120).flatMap { record($0, labels: [UInt8($0 % 10)]) }
    let bad = record(120, labels: [200])
    try folder.write("test_batch.bin", good + bad)
    let set = try CIFAR.cifar10.read(folder.path, split: .test)
    #expect(set.count == 120)
    #expect(set.labels.count == 120)
    expectPictures(set)
    #expect(set.skipped == ["'\(folder("test_batch.bin"))' record 120: label 200 of 10 classes"])

    try folder.write("test_batch.bin", good + bad + bad)
    #expect {
      try CIFAR.cifar10.read(folder.path, split: .test)
    } throws: {
      "\($0)".contains("2 of 122 items") && "\($0)".contains("record 121")
    }
  }

  @Test("A file that ends within a record is an error")
  func truncated() throws {
    try folder.write("test_batch.bin", Array(record(0, labels: [1]).dropLast()))
    #expect(throws: DataError.self) { try CIFAR.cifar10.read(folder.path, split: .test) }
  }
}
