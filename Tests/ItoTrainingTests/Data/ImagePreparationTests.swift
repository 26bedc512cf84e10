import ItoComponents
import ItoImages
import ItoTensors
import Synchronization
import Testing

@testable import ItoTraining

@Suite struct ImagePreparationTests {
  let folder = TemporaryFolder()

  /// Pictures made on the spot; those in `bad` cannot be had. Counts what was asked for.
  private struct Made: Dataset {
    final class Counter: Sendable { let value = Atomic<Int>(0) }
    var count: Int
    var bad: Set<Int> = []
    var identity = "made"
    let classNames: [String] = []
    let decoded = Counter()
    func name(of index: Int) -> String { "item \(index)" }
    func description(of index: Int) -> (label: Int32?, caption: String?) {
      (Int32(index), "n\(index)")
    }
    func image(at index: Int) throws(DataError) -> PixelImage {
      decoded.value.add(1, ordering: .relaxed)
      if bad.contains(index) { throw .item(reason: "broken") }
      return PixelImage(width: 6, height: 4, color: PixelColor(grey: UInt8(index % 251)))
    }
  }

  private let size = ImagePreparation(height: 2, width: 2, channels: 1)

  private func expectPictures(_ set: ImageSet, _ expected: [Int]) {
    #expect(set.count == expected.count)
    #expect(set.labels == expected.map(Int32.init))
    #expect(set.captions == expected.map { "n\($0)" })
    let stored = set.pixels.integers
    for i in 0..<set.count {
      let row = set.row(of: i)
      #expect(stored[(row * 4)..<(row * 4 + 4)].allSatisfy { $0 == expected[i] % 251 })
    }
  }

  @Test("All pictures come out in order, in memory and from the copy", arguments: [false, true])
  func order(cached: Bool) throws {
    let data = Made(count: 700)
    let set = try size.prepare(data, cache: cached ? folder("deep/cache") : nil)
    expectPictures(set, Array(0..<700))
    #expect(set.skipped.isEmpty)
  }

  @Test("What cannot be used is skipped and named, also from the copy")
  func skips() throws {
    let data = Made(count: 300, bad: [7, 299])
    for _ in 0..<2 {
      let set = try size.prepare(data, cache: folder.path)
      expectPictures(set, (0..<299).filter { $0 != 7 })
      #expect(set.skipped == ["item 7: broken", "item 299: broken"])
    }
  }

  @Test("More than one in a hundred stops, and leaves no copy")
  func stops() throws {
    let data = Made(count: 300, bad: [1, 2, 3, 4])
    #expect {
      try size.prepare(data, cache: folder.path)
    } throws: {
      "\($0)".contains("4 of 300") && "\($0)".contains("item 3: broken")
    }
    #expect(try files(below: folder.path).isEmpty)
  }

  @Test("A request to stop is heeded, and leaves no copy", arguments: [false, true])
  func cancels(cached: Bool) throws {
    let data = Made(count: 300)
    var asked = 0
    #expect(throws: DataError.cancelled) {
      try size.prepare(
        data, cache: cached ? folder.path : nil,
        isCancelled: {
          asked += 1
          return true
        })
    }
    #expect(asked == 1)
    #expect(data.decoded.value.load(ordering: .relaxed) == 0)
    #expect(try files(below: folder.path).isEmpty)
  }

  @Test("A second run decodes nothing; other settings or other data make another copy")
  func reuse() throws {
    let data = Made(count: 50)
    _ = try size.prepare(data, cache: folder.path)
    #expect(data.decoded.value.load(ordering: .relaxed) == 50)
    _ = try size.prepare(data, cache: folder.path)
    #expect(data.decoded.value.load(ordering: .relaxed) == 50)
    _ = try ImagePreparation(height: 2, width: 3, channels: 1).prepare(data, cache: folder.path)
    _ = try ImagePreparation(height: 2, width: 2, channels: 1, fit: .pad)
      .prepare(data, cache: folder.path)
    _ = try size.prepare(Made(count: 50, identity: "changed"), cache: folder.path)
    #expect(data.decoded.value.load(ordering: .relaxed) == 150)
    #expect(try files(below: folder.path).count == 4)
  }

  @Test("A damaged copy is made again, wherever the damage is")
  func damage() throws {
    let data = Made(count: 40)
    let whole = try size.prepare(data, cache: folder.path).pixels.integers
    let file = folder(try files(below: folder.path)[0].path)
    let bytes = try readFile(file)
    for position in stride(from: 0, to: bytes.count, by: 5) {
      var damaged = bytes
      damaged[position] ^= 0x10
      try AtomicFile.write(file, bytes: damaged)
      let set = try size.prepare(data, cache: folder.path)
      #expect(set.pixels.integers == whole, "byte \(position)")
      #expect(set.count == 40)
    }
    for length in [0, 7, 100, bytes.count - 1] {
      try AtomicFile.write(file, bytes: Array(bytes[..<length]))
      #expect(try size.prepare(data, cache: folder.path).pixels.integers == whole)
    }
    #expect(try readFile(file) == bytes)
  }

  @Test("A set in memory of the right size is used as it is")
  func inMemory() throws {
    let set = try ImageSet(pixels: Tensor([UInt8](0..<12), shape: [3, 2, 2, 1]))
    #expect(try size.prepare(set).pixels.storageAddress == set.pixels.storageAddress)
    let padded = try ImagePreparation(
      height: 4, width: 3, channels: 1, fit: .center, background: .black
    ).prepare(set)
    #expect(padded.pixels.shape == [3, 4, 3, 1])
    #expect(Array(padded.pixels.integers[..<12]) == [0, 0, 0, 0, 1, 0, 2, 3, 0, 0, 0, 0])
  }

  @Test("Fits")
  func fits() {
    let image = PixelImage(
      width: 4, height: 2, channels: 1, pixels: [0, 100, 100, 0, 0, 100, 100, 0])
    func prepared(_ fit: ImagePreparation.Fit, _ height: Int, _ width: Int) -> [UInt8] {
      ImagePreparation(
        height: height, width: width, channels: 1, fit: fit, filter: .box, background: .black
      ).prepared(image).pixels
    }
    #expect(prepared(.crop, 2, 2) == [100, 100, 100, 100])
    #expect(prepared(.stretch, 2, 2) == [50, 50, 50, 50])
    #expect(prepared(.pad, 4, 4) == [0, 0, 0, 0, 0, 100, 100, 0, 0, 100, 100, 0, 0, 0, 0, 0])
    #expect(prepared(.center, 1, 6) == [0, 0, 100, 100, 0, 0])
    #expect(prepared(.center, 3, 2) == [100, 100, 100, 100, 0, 0])
  }

  @Test("The background shows through transparency and beside pictures; with alpha it stays open")
  func transparency() {
    let image = PixelImage(
      width: 2, height: 1, channels: 4, pixels: [0, 0, 0, 0, 10, 20, 30, 255])
    let white = ImagePreparation(height: 1, width: 2, filter: .box).prepared(image)
    #expect(white.pixels == [255, 255, 255, 10, 20, 30])
    let blue = ImagePreparation(
      height: 1, width: 3, fit: .center, background: PixelColor(red: 1, green: 2, blue: 255))
    #expect(blue.prepared(image).pixels == [1, 2, 255, 10, 20, 30, 1, 2, 255])
    let open = ImagePreparation(height: 1, width: 3, channels: 4, fit: .center).prepared(image)
    #expect(open.pixels == [0, 0, 0, 0, 10, 20, 30, 255, 255, 255, 255, 0])
  }

  @Test("A folder with a broken picture among many is prepared without it")
  func brokenFile() throws {
    for i in 0..<120 {
      try folder.write("pictures/\(i).png", [])
      try PixelImage(width: 8, height: 8, color: PixelColor(grey: UInt8(i)))
        .write(folder("pictures/\(i).png"))
    }
    let bytes = try readFile(folder("pictures/5.png"))
    try folder.write("pictures/5.png", Array(bytes[..<(bytes.count / 2)]))
    let data = try ImageFolder(folder("pictures"))
    let set = try ImagePreparation(height: 8, width: 8, channels: 3)
      .prepare(data, cache: folder("cache"))
    #expect(set.count == 119)
    #expect(set.skipped.count == 1)
    #expect(set.skipped.first?.hasPrefix("'5.png': ") == true)
    #expect(set.pixels.shape == [120, 8, 8, 3])
  }

  @Test("A folder that cannot be written to is an error")
  func unwritable() throws {
    try folder.write("file", "not a folder")
    #expect(throws: DataError.self) {
      try size.prepare(Made(count: 3), cache: folder("file/cache"))
    }
  }
}
