import ArgumentParser
import ItoImages
import ItoPipelines

/// Where pictures go.
struct PictureOutput: ParsableArguments {
  @Option(
    name: [.short, .long],
    help: "A picture file (one picture), or a folder for numbered pictures.")
  var output: String?

  @Option(help: "A picture file for all of them on one labelled sheet.")
  var sheet: String?

  /// Fails before anything is computed where the pictures could not be written.
  func check(count: Int) throws {
    if let output, ImageFormat(pathExtension: output) != nil, count != 1 {
      throw CommandFailure(
        "--output \(output) is one file for \(count) pictures; give a folder, or --sheet.")
    }
  }

  /// Writes `images` and tells the files.
  ///
  /// - Parameters:
  ///   - names: what each picture shows.
  ///   - perPrompt: pictures of each prompt, which share a row of a sheet.
  func write(
    _ images: [PixelImage], names: [String], seed: UInt64, perPrompt: Int,
    metadata: (Int) -> ImageMetadata
  ) throws -> [String] {
    var files: [String] = []
    if let sheet {
      var page = ContactSheet(columns: perPrompt > 1 ? perPrompt : Self.columns(for: images.count))
      if perPrompt > 1 {
        page.rowLabels = stride(from: 0, to: names.count, by: perPrompt).map { names[$0] }
      } else {
        page.captions = names
      }
      try page.draw(images).write(sheet, metadata: metadata(0))
      files.append(sheet)
    }
    if let output, ImageFormat(pathExtension: output) != nil {
      try images[0].write(output, metadata: metadata(0))
      files.append(output)
    } else if output != nil || sheet == nil {
      let folder = output ?? "out"
      try makeFolder(folder)
      for (k, image) in images.enumerated() {
        let file = "\(folder)/\(Self.slug(names[k]))-\(seed &+ UInt64(k)).png"
        try image.write(file, metadata: metadata(k))
        files.append(file)
      }
    }
    return files
  }

  /// Up to ten pictures in a row, as many as leave the fewest places of the last row empty.
  static func columns(for count: Int) -> Int {
    let choices = (min(4, count)...min(10, count)).reversed()
    return choices.min { ($0 - count % $0) % $0 < ($1 - count % $1) % $1 } ?? 1
  }

  /// `name` as part of a file's name, at most 48 characters.
  static func slug(_ name: String) -> String {
    let letters = name.lowercased().map { $0.isLetter || $0.isNumber ? $0 : "-" }
    let words = String(letters).split(separator: "-").joined(separator: "-")
    return words.isEmpty ? "picture" : String(words.prefix(48))
  }
}
