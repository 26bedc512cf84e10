import ItoCheckpoints
import ItoComponents

#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

extension ModelConversion {
  /// Folders below a model's folder that are looked into; a model has one level of parts, which may have
  /// parts of their own. Ends what links would make endless.
  private static var deepest: Int { 4 }

  /// A model folder of `ito train` rewritten: every safetensors file in it and in the folders of its parts
  /// converted, everything else copied.
  func folderFromModel(_ progress: Progress) throws(PipelineError) -> Report {
    _ = try ModelManifest(folder: source)
    var tally = ConversionTally()
    let folder = try NewFolder(destination)
    for name in try files(below: "", depth: 0) {
      let path = try folder.path(name)
      guard name.hasSuffix(".safetensors") else {
        try wrapping(PipelineError.file) { () throws(FileError) in
          try AtomicFile.write(path, bytes: try readFile("\(source)/\(name)", limit: 1 << 30))
        }
        continue
      }
      try wrapping(PipelineError.checkpoint) { () throws(CheckpointError) in
        let opened = try Checkpoint.open("\(source)/\(name)")
        try write(opened, metadata: opened.metadata, to: path, name, &tally, progress)
      }
    }
    try folder.commit()
    return Report(path: destination, summary: "the same model", lacking: [], tally)
  }

  /// Regular files of the model, relative to its folder, links followed; hidden ones left out.
  private func files(below folder: String, depth: Int) throws(PipelineError) -> [String] {
    guard depth <= Self.deepest else {
      throw .request("\(source)/\(folder) is too deep in a model's folder; is it a link to itself?")
    }
    var result: [String] = []
    for entry in try NewFolder.names(in: "\(source)/\(folder)") where !entry.hasPrefix(".") {
      let name = folder.isEmpty ? entry : "\(folder)/\(entry)"
      var info = stat()
      guard stat("\(source)/\(name)", &info) == 0 else {
        throw .file(FileError(.open, path: "\(source)/\(name)", code: errno))
      }
      switch info.st_mode & S_IFMT {
      case S_IFDIR: result += try files(below: name, depth: depth + 1)
      case S_IFREG: result.append(name)
      default: break
      }
    }
    return result
  }
}
