import ItoCCodecs
import ItoImages
import Testing

@testable import ItoTraining

#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

@Suite struct ImageFolderTests {
  let folder = TemporaryFolder()

  private func picture(_ name: String, grey: UInt8 = 7, width: Int = 4, height: Int = 3) throws {
    let image = PixelImage(width: width, height: height, color: PixelColor(grey: grey))
    try folder.write(name, [])
    try image.write(folder(name))
  }

  private func names(_ data: ImageFolder) -> [String] { (0..<data.count).map { data.name(of: $0) } }

  @Test("Sub-folders are classes, in order; other files are left out")
  func classes() throws {
    for name in ["b/2.png", "b/1.png", "a/x/3.jpg", "c/4.webp"] { try picture(name) }
    try folder.write("a/notes.txt", "nothing")
    try folder.write("b/.hidden.png", "nothing")
    let data = try ImageFolder(folder.path)
    #expect(names(data) == ["'a/x/3.jpg'", "'b/1.png'", "'b/2.png'", "'c/4.webp'"])
    #expect(data.classNames == ["a", "b", "c"])
    #expect((0..<4).map { data.description(of: $0).label } == [0, 1, 1, 2])
    #expect(data.description(of: 0).caption == nil)
    #expect(try data.image(at: 1).width == 4)
  }

  @Test("Folders called by numbers are in the order of the numbers")
  func numbers() throws {
    for name in ["10/a.png", "2/a.png", "0/a.png"] { try picture(name) }
    #expect(try ImageFolder(folder.path).classNames == ["0", "2", "10"])
  }

  @Test(
    "A text file beside a picture is its caption; one that is missing is that picture's problem")
  func sidecars() throws {
    for name in ["1.png", "2.png", "sub/3.png"] { try picture(name) }
    try folder.write("1.txt", "\u{FEFF}  a red shoe\n")
    try folder.write("sub/3.txt", "ein Schuh — größer")
    let data = try ImageFolder(folder.path)
    #expect(
      (0..<3).map { data.description(of: $0).caption } == ["a red shoe", "", "ein Schuh — größer"])
    #expect(data.classNames.isEmpty)
    #expect {
      try data.image(at: 1)
    } throws: {
      "\($0)".contains("no caption")
    }
    try folder.write("2.txt", [0xff, 0xfe, 0x00])
    #expect {
      try ImageFolder(folder.path).image(at: 1)
    } throws: {
      "\($0)".contains("UTF-8")
    }
  }

  @Test(
    "An index lists pictures, captions and classes", arguments: ["metadata.csv", "metadata.jsonl"])
  func index(file: String) throws {
    for name in ["1.png", "sub/2.png", "unlisted.png"] { try picture(name) }
    if file.hasSuffix("csv") {
      try folder.write(
        file, "file_name,extra,text,label\nsub/2.png,1,\"a, b\",cat\n1.png,2,c,bird\n")
    } else {
      try folder.write(
        file,
        """
        {"file_name": "sub/2.png", "text": "a, b", "label": "cat", "extra": [1]}

        {"file_name": "1.png", "text": "c", "label": "bird"}
        """)
    }
    let data = try ImageFolder(folder.path)
    #expect(names(data) == ["'sub/2.png'", "'1.png'"])
    #expect(data.classNames == ["bird", "cat"])
    #expect((0..<2).map { data.description(of: $0).label } == [1, 0])
    #expect((0..<2).map { data.description(of: $0).caption } == ["a, b", "c"])
  }

  @Test("Numbers in an index are class numbers; another file can be named")
  func numberedIndex() throws {
    try picture("1.png")
    let path = try folder.write("other.csv", "image,class\n1.png,7\n")
    let data = try ImageFolder(folder.path, index: path)
    #expect(data.description(of: 0).label == 7)
    #expect(data.classNames.isEmpty)
  }

  @Test("The class may be under any name that is asked for", arguments: ["csv", "jsonl"])
  func namedLabel(format: String) throws {
    try picture("1.png")
    try picture("2.png")
    let path = try folder.write(
      "index." + format,
      format == "csv"
        ? "file_name,label,concept\n1.png,3,dog\n2.png,4,cat\n"
        : """
        {"file_name": "1.png", "label": 3, "concept": "dog"}
        {"file_name": "2.png", "label": 4, "concept": "cat"}
        """)
    let data = try ImageFolder(folder.path, index: path, label: "concept")
    #expect(data.classNames == ["cat", "dog"])
    #expect((0..<2).map { data.description(of: $0).label } == [1, 0])
    #expect(try ImageFolder(folder.path, index: path, label: "absent").classNames.isEmpty)
  }

  @Test("A picture that an index names and the folder lacks is that picture's problem")
  func absent() throws {
    try picture("1.png")
    try folder.write("metadata.csv", "file_name\n1.png\n../secret.png\n")
    let data = try ImageFolder(folder.path)
    #expect(try data.image(at: 0).height == 3)
    #expect {
      try data.image(at: 1)
    } throws: {
      "\($0)".contains("line 3")
    }
  }

  @Test(
    "A broken index is an error that names the line",
    arguments: [
      ("metadata.csv", "text\na\n", "file_name"),
      ("metadata.csv", "file_name,text\n1.png\n", "line 2"),
      ("metadata.jsonl", "{\"file_name\": \"1.png\"}\n{", "line 2"),
      ("metadata.jsonl", "{\"file_name\": 1.5}", "line 1"),
      ("metadata.jsonl", "{\"text\": \"a\"}", "line 1"),
      ("metadata.jsonl", "", "no records"),
      ("metadata.csv", "file_name,text\n", "no records"),
      (
        "metadata.jsonl", "{\"file_name\": \"1.png\"}\n{\"file_name\": \"1.png\", \"text\": \"a\"}",
        "1 of 2 records have no caption"
      ),
    ])
  func brokenIndex(file: String, text: String, said: String) throws {
    try picture("1.png")
    try folder.write(file, text)
    #expect {
      try ImageFolder(folder.path)
    } throws: {
      "\($0)".contains(said)
    }
  }

  @Test("An empty or missing folder is an error")
  func empty() throws {
    #expect(throws: DataError.self) { try ImageFolder(folder.path) }
    #expect(throws: DataError.self) { try ImageFolder(folder("nowhere")) }
  }

  @Test("A change of a file changes the identity")
  func identity() throws {
    try picture("1.png", grey: 7)
    let before = try ImageFolder(folder.path).identity
    #expect(try ImageFolder(folder.path).identity == before)
    try picture("1.png", grey: 200, width: 5)
    #expect(try ImageFolder(folder.path).identity != before)
  }

  @Test("Formats that are not read, links to nowhere and pipes are named, and spoil no class")
  func unusable() throws {
    for name in ["a/1.png", "b/2.png"] { try picture(name) }
    try folder.write("movie.GIF", "GIF89a")
    try folder.write("a/photo.heic", "x")
    try folder.write("notes.md", "x")
    symlink("nowhere.png", folder("b/lost.png"))
    symlink("self.jpg", folder("self.jpg"))
    mkfifo(folder("pipe.webp"), 0o600)
    symlink(".", folder("again"))
    symlink("..", folder("b/up"))
    let data = try ImageFolder(folder.path)
    #expect(
      names(data) == [
        "'a/1.png'", "'a/photo.heic'", "'b/2.png'", "'b/lost.png'", "'movie.GIF'", "'pipe.webp'",
        "'self.jpg'",
      ])
    #expect(data.classNames == ["a", "b"] && data.description(of: 2).label == 1)
    for (index, said) in [
      (1, "HEIC"), (3, "cannot be opened"), (4, "GIF"), (5, "regular"), (6, "opened"),
    ] {
      #expect {
        try data.image(at: index)
      } throws: {
        "\($0)".contains(said)
      }
    }
    // Only what can be read counts for an index.
    try folder.write("metadata.csv", "file_name\nb/lost.png\na/1.png\n")
    #expect(throws: DataError.self) { try ImageFolder(folder.path).image(at: 0) }
  }

  /// The first bytes of a PNG file that says it has 20,000 by 20,000 pixels.
  private var bomb: [UInt8] {
    func chunk(_ name: String, _ data: [UInt8]) -> [UInt8] {
      let body = Array(name.utf8) + data
      let sum = UInt32(crc32(0, body, UInt32(body.count)))
      return [0, 0, 0, UInt8(data.count)] + body
        + (0..<4).map { UInt8(truncatingIfNeeded: sum >> (24 - 8 * $0)) }
    }
    return [0x89, 0x50, 0x4E, 0x47, 13, 10, 26, 10]
      + chunk("IHDR", [0, 0, 0x4E, 0x20, 0, 0, 0x4E, 0x20, 8, 2, 0, 0, 0]) + chunk("IDAT", [0x78])
  }

  @Test("A stranger's folder: all that cannot be used is listed, or left out where it is little")
  func stranger() throws {
    let kinds: [(name: String, bytes: [UInt8], said: String)] = [
      ("bomb.png", bomb, "20000×20000"), ("empty.jpg", [], "is empty"),
      ("text.webp", Array("hello".utf8), "not a PNG, JPEG or WebP"),
      ("cut.png", Array(bomb.prefix(20)), "ends too early"), ("movie.gif", [71, 73, 70], "GIF"),
    ]
    for kind in kinds {
      try folder.write("bad/" + kind.name, kind.bytes)
      try folder.write("bad/" + kind.name.prefix { $0 != "." } + ".txt", "a thing")
    }
    try picture("bad/latin.png")
    try folder.write("bad/latin.txt", [0x67, 0x72, 0xFC, 0x6E])
    try picture("bad/silent.png")
    try picture("bad/good.png")
    try folder.write("bad/good.txt", "a thing")
    let preparation = ImagePreparation(height: 4, width: 4, channels: 3)
    #expect {
      try preparation.prepare(try ImageFolder(folder("bad")))
    } throws: { error in
      let said = kinds.map { ($0.name, $0.said) } + [("latin", "UTF-8"), ("silent", "no caption")]
      let lines = "\(error)".split(separator: "\n")
      #expect(lines.first?.contains("7 of 8") == true)
      return said.allSatisfy { name, reason in
        lines.contains { $0.contains("'\(name)") && $0.contains(reason) }
      }
    }
    for i in 0..<150 {
      try picture("most/\(i).png")
      try folder.write("most/\(i).txt", "picture \(i)")
    }
    try folder.write("most/bomb.png", bomb)
    try folder.write("most/bomb.txt", "a bomb")
    let set = try preparation.prepare(try ImageFolder(folder("most")))
    #expect(set.count == 150 && !set.captions.contains("a bomb"))
    #expect(set.skipped.count == 1 && set.skipped[0].contains("20000×20000"))
  }
}
