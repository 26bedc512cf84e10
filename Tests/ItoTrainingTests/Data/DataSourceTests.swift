import ItoComponents
import ItoImages
import ItoTensors
import Testing

@testable import ItoTraining

@Suite struct DataSourceTests {
  let folder = TemporaryFolder()
  let sources = Registry<any DataSource>.builtin

  @Test("IDX pictures and labels")
  func idxPair() throws {
    let images = try folder.write("images", gzipped(idx([3, 2, 2], [UInt8](0..<12))))
    let labels = try folder.write("labels", idx([3], [1, 0, 1]))
    let source = try sources.make(
      "mnist",
      options: [
        "images": .string(images), "labels": .string(labels), "class-names": ["trouser", "bag"],
      ])
    let data = try source.open()
    #expect(data.count == 3)
    #expect(data.classNames == ["trouser", "bag"])
    #expect((0..<3).map { data.description(of: $0).label } == [1, 0, 1])
    #expect(try data.image(at: 2).pixels == [8, 9, 10, 11])
  }

  @Test("Labels that do not fit the pictures are errors")
  func mismatch() throws {
    let images = try folder.write("images", idx([3, 2, 2], [UInt8](0..<12)))
    let labels = try folder.write("labels", idx([2], [1, 0]))
    #expect(throws: DataError.self) { try IDXSource(images: images, labels: labels).open() }
    #expect(throws: DataError.self) { try IDXSource(images: labels).open() }
    try folder.write("labels", idx([3], [1, 0, 7]))
    #expect(throws: DataError.self) {
      try IDXSource(images: images, labels: labels, classNames: ["a", "b"]).open()
    }
    #expect(try IDXSource(images: images, labels: labels).open().count == 3)
  }

  @Test("Every source says what it needs", arguments: Registry<any DataSource>.builtin.names)
  func missing(name: String) {
    #expect(throws: OptionError.self) { try sources.make(name) }
    #expect {
      try sources.make(name, options: ["images": "a", "path": "a", "typo": 1])
    } throws: {
      "\($0)".contains("typo")
    }
  }
}
