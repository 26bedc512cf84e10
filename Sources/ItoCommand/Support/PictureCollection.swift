import ItoComponents
import ItoImages
import ItoPipelines
import ItoTensors
import ItoTraining

/// Reads pictures to be judged, with their names, captions and concepts.
struct PictureCollection {
  /// A folder of pictures, or an index file (JSONL or CSV) beside them.
  let path: String
  let isQuiet: Bool

  /// The most pixels to a side; larger pictures are made smaller.
  private static let largest = 512

  /// The pictures, all made `height` by `width` pixels (the first one's size when nil), over white.
  ///
  /// Pictures that cannot be read are named and left out.
  func load(height: Int? = nil, width: Int? = nil) throws -> PictureSet {
    let isIndex = path.hasSuffix(".jsonl") || path.hasSuffix(".csv")
    let folder = isIndex ? path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "." : path
    let pictures = try ImageFolder(folder, index: isIndex ? path : nil)
    let details = try details(isIndex ? path : folder + "/metadata.jsonl")
    var bar = ProgressBar("reading", unit: "picture", total: pictures.count, isShown: !isQuiet)
    defer { bar.clear() }
    var size = height.flatMap { height in width.map { (height: height, width: $0) } }
    var bytes: [UInt8] = []
    var names: [String] = [], captions: [[String]] = [], concepts: [String] = []
    for index in 0..<pictures.count {
      let file = String(pictures.name(of: index).dropFirst().dropLast())
      let image: PixelImage
      do throws(DataError) { image = try pictures.image(at: index) } catch {
        bar.clear()
        Terminal.note("left out \(file): \(error)")
        continue
      }
      let target =
        size
        ?? (min(image.height, Self.largest), min(image.width, Self.largest))
      size = target
      bytes += image.rgb().filling(width: target.width, height: target.height).pixels
      names.append(Self.stem(file))
      let known = details[file]
      captions.append(known?.captions ?? pictures.description(of: index).caption.map { [$0] } ?? [])
      concepts.append(known?.concept ?? "")
      bar.update(index + 1)
    }
    guard let size, !names.isEmpty else {
      throw CommandFailure(
        "\(path) holds no picture that can be read; give a folder of PNG, JPEG or WebP files.")
    }
    return PictureSet(
      pixels: Tensor(bytes, shape: [names.count, size.height, size.width, 3]), names: names,
      captions: captions, concepts: concepts.allSatisfy(\.isEmpty) ? [] : concepts)
  }

  /// `pictures/1f600.png` is `1f600`.
  private static func stem(_ file: String) -> String {
    let name = file.split(separator: "/").last.map(String.init) ?? file
    return name.lastIndex(of: ".").map { String(name[..<$0]) } ?? name
  }

  private struct Details {
    var captions: [String]?
    var concept: String?
  }

  /// What a JSONL index says of each file: `texts` (words, or objects with `text`) or `text`, and
  /// `concept`.
  private func details(_ index: String) throws -> [String: Details] {
    guard index.hasSuffix(".jsonl"), ModelLocator.isFile(index) else { return [:] }
    var result: [String: Details] = [:]
    for line in try readFile(index, limit: 1 << 28).split(separator: UInt8(ascii: "\n")) {
      // The folder's own reader has named lines that cannot be read.
      guard let json = try? JSONValue.parse(Array(line)), let file = json["file_name"]?.string
      else {
        continue
      }
      let texts = json["texts"]?.array?.compactMap { $0.string ?? $0["text"]?.string }
      result[file] = Details(
        captions: texts ?? json["text"]?.string.map { [$0] }, concept: json["concept"]?.string)
    }
    return result
  }
}
