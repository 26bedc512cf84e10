import ItoComponents
public import ItoImages

#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

/// A folder of PNG, JPEG and WebP pictures, with captions, classes, or neither.
///
/// With an index (`metadata.csv` or `metadata.jsonl` in the folder, or any file named explicitly) the
/// index lists the pictures. Without one, every picture below the folder counts, and
/// - if any has a text file of the same name (`cat.jpg`, `cat.txt`), that is its caption, and those
///   without one are unusable;
/// - pictures in formats that are not read (GIF, TIFF, HEIC, …) are unusable too, so that they are named;
/// - if all are in sub-folders, the first level of these are the classes, by name.
public struct ImageFolder: Dataset {
  /// The folder.
  public let path: String
  /// What all pictures depend on: their names, sizes and times.
  public let identity: String
  /// Names of the classes, in alphabetical or numerical order; empty when an index numbers them.
  public let classNames: [String]
  private let items: [Item]

  fileprivate struct Item {
    var file: String
    var label: Int32?
    var captions: [Caption] = []
    var weight = 1.0
    /// Why it cannot be used, when that is known without decoding it.
    var problem: String?
  }

  /// Lists the folder at `path`; nothing is decoded.
  ///
  /// - Parameter index: a CSV or JSONL file that lists the pictures; found in the folder when nil.
  /// - Parameter label: what the class of a picture is under in the index; `label` or `class` when nil.
  public init(_ path: String, index: String? = nil, label: String? = nil) throws(DataError) {
    self.path = path
    guard isFolder(path) else {
      throw .file(FileError(.open, path: path, code: isRegularFile(path) ? ENOTDIR : ENOENT))
    }
    let found = try files(below: path)
    let known = ["metadata.jsonl", "metadata.csv"].map { path + "/" + $0 }.first(
      where: isRegularFile)
    if let index = index ?? known {
      (items, classNames) = try Self.listed(by: ImageIndex(index, label: label), in: path, found)
    } else {
      (items, classNames) = try Self.listed(found, in: path)
    }
    let files = Dictionary(found.map { ($0.path, $0) }, uniquingKeysWith: { first, _ in first })
    let lines = items.map { item in
      "\(item.file)\t\(files[item.file]?.size ?? -1)\t\(files[item.file]?.modified ?? 0)"
    }
    identity = "folder \(path) \(items.count) \(digest(lines.joined(separator: "\n")))"
  }

  /// Number of pictures.
  public var count: Int { items.count }

  /// The path relative to the folder.
  public func name(of index: Int) -> String { "'\(items[index].file)'" }

  /// The class and the caption.
  public func description(of index: Int) -> (label: Int32?, caption: String?) {
    (items[index].label, items[index].captions.first?.text)
  }

  /// Its captions.
  public func captions(of index: Int) -> [Caption] { items[index].captions }

  /// Its weight.
  public func weight(of index: Int) -> Double { items[index].weight }

  /// Decodes a picture.
  public func image(at index: Int) throws(DataError) -> PixelImage {
    if let problem = items[index].problem { throw .item(reason: problem) }
    do {
      return try PixelImage.read(path + "/" + items[index].file)
    } catch {
      throw .item(reason: error.description)
    }
  }
}

extension ImageFolder {
  private static func listed(
    _ found: [FoundFile], in folder: String
  ) throws(DataError) -> ([Item], [String]) {
    var items = found.compactMap(Item.init(picture:))
    guard !items.isEmpty else {
      throw .empty(path: folder, reason: "it has no PNG, JPEG or WebP pictures")
    }
    let names = Set(found.map(\.path))
    let sidecars = items.map { stem($0.file) + ".txt" }
    if sidecars.contains(where: names.contains) {
      for i in items.indices {
        items[i].captions = [Caption("")]
        if names.contains(sidecars[i]) {
          // A text that cannot be read is that picture's problem alone.
          do throws(DataError) {
            items[i].captions = [
              Caption(trimmed(try readText(folder + "/" + sidecars[i], limit: 1 << 20)))
            ]
          } catch .corrupt {
            items[i].problem = "its caption '\(sidecars[i])' is not UTF-8 text; save it as UTF-8"
          } catch {
            items[i].problem = "its caption: \(error)"
          }
        } else if items[i].problem == nil {
          items[i].problem = "it has no caption '\(sidecars[i])', though others have"
        }
      }
    }
    let folders = items.map { item in
      item.file.firstIndex(of: "/").map { String(item.file[..<$0]) }
    }
    let usable = items.indices.filter { items[$0].problem == nil }
    guard !usable.isEmpty, usable.allSatisfy({ folders[$0] != nil }) else { return (items, []) }
    let classNames = sortedNames(Set(folders.compactMap { $0 }))
    let numbers = Dictionary(uniqueKeysWithValues: classNames.enumerated().map { ($1, Int32($0)) })
    // All have a label or none has; that of an unusable one does not matter.
    for i in items.indices { items[i].label = folders[i].flatMap { numbers[$0] } ?? 0 }
    return (items, classNames)
  }

  private static func listed(
    by index: ImageIndex, in folder: String, _ found: [FoundFile]
  ) throws(DataError) -> ([Item], [String]) {
    let names = Set(found.filter { $0.problem == nil }.map(\.path))
    let given = index.records.compactMap(\.label)
    // Numbers are class numbers; anything else is a class name.
    let numbers = given.map { Int32($0) }
    let areNumbers = numbers.allSatisfy { $0.map { (0..<1_000_000).contains($0) } ?? false }
    let classNames = areNumbers ? [] : sortedNames(Set(given))
    let byName = Dictionary(uniqueKeysWithValues: classNames.enumerated().map { ($1, Int32($0)) })
    let items = index.records.map { record in
      var item = Item(
        file: record.file, captions: record.captions, weight: record.weight)
      item.label = record.label.flatMap { areNumbers ? Int32($0) : byName[$0] }
      if !names.contains(record.file) {
        item.problem =
          "line \(record.line) of '\(index.path)' names it, but the folder has no such file"
      }
      return item
    }
    return (items, classNames)
  }

  /// Names in alphabetical order; numbers, as in folders `0` to `10`, in theirs.
  private static func sortedNames(_ names: Set<String>) -> [String] {
    let numbers = names.compactMap { Int($0) }
    return numbers.count == names.count ? numbers.sorted().map(String.init) : names.sorted()
  }

  /// A path without its extension.
  private static func stem(_ path: String) -> String {
    path.lastIndex(of: ".").map { String(path[..<$0]) } ?? path
  }

  private static func trimmed(_ text: String) -> String {
    var text = text[...]
    while text.first?.isWhitespace == true { text.removeFirst() }
    while text.last?.isWhitespace == true { text.removeLast() }
    return String(text)
  }
}

extension ImageFolder.Item {
  /// Formats of pictures that people have and that are not read.
  private static let unread = [
    "gif", "bmp", "tif", "tiff", "heic", "heif", "avif", "jxl", "jp2", "tga", "psd",
  ]

  /// The item of a file that is named like a picture, usable or not; nil for other files.
  fileprivate init?(picture found: FoundFile) {
    self.init(file: found.path, problem: found.problem)
    if ImageFormat(pathExtension: found.path) != nil { return }
    let end = found.path.split(separator: ".").last.map { $0.lowercased() } ?? ""
    guard Self.unread.contains(end) else { return nil }
    problem = "\(end.uppercased()) pictures are not read; convert it to PNG, JPEG or WebP"
  }
}
