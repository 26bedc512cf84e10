import ItoComponents

/// Which files of a repository a model needs.
///
/// Of a pipeline: its index and, for each part it names, configuration, vocabulary and weights as
/// safetensors. Weights of the wanted variant (`model.fp16.safetensors`) are preferred, then the
/// plain ones, then those of whatever single variant there is. The safety checker and its feature
/// extractor, which are not used, are left out.
struct FileSelection {
  /// A variant of the weights, `fp16`; nil for the plain ones.
  var variant: String?
  /// Files asked for by name; empty to find out.
  var names: [String] = []

  static let unused: Set = ["safety_checker", "feature_extractor", "image_encoder"]
  /// Parts of a pipeline at most; the largest published have about a dozen.
  private static let mostParts = 64
  private static let texts = [".json", ".txt", ".model"]

  /// The files of a repository that hold no part's folder: those in the root.
  static let index = "model_index.json"

  /// The files needed, from all there are and the pipeline's index if there is one.
  func files(
    of listing: HubListing, index: JSONValue?, repository: RepositoryName
  ) throws(HubError) -> [HubListing.File] {
    func refuse(_ reason: String) -> HubError {
      .nothingToLoad(repository: repository.name, reason: reason)
    }
    if !names.isEmpty {
      var found: [HubListing.File] = []
      for name in names {
        guard let file = listing.files.first(where: { $0.path == name }) else {
          throw refuse("it has no file '\(name)'; it has \(Self.list(listing.files))")
        }
        found.append(file)
      }
      return found
    }
    return try places(in: listing.files, index: index, refuse).map { listing.files[$0] }
  }

  /// The files needed, by their places: a server may list any number of them, and these take a fraction of what
  /// the files do.
  private func places(
    in files: [HubListing.File], index: JSONValue?, _ refuse: (String) -> HubError
  ) throws(HubError) -> [Int] {
    if let index {
      var found = files.indices.filter { files[$0].path == Self.index }
      var parts = 0
      for (name, value) in index.object ?? [:] {
        guard !name.hasPrefix("_"), !Self.unused.contains(name), value[1]?.string != nil else {
          continue
        }
        parts += 1
        guard parts <= Self.mostParts else {
          throw refuse("its index names more than \(Self.mostParts) parts")
        }
        let part = try places(in: files, of: name + "/", refuse)
        guard !part.isEmpty else { throw refuse("its part \(quoted(name)) has no files") }
        found += part
      }
      return found
    }
    if files.contains(where: { $0.path == "config.json" }) {
      return try places(in: files, of: "", refuse)
    }
    let single = files.indices.filter {
      let path = files[$0].path
      return !path.contains("/") && (path.hasSuffix(".safetensors") || path.hasSuffix(".gguf"))
    }
    guard single.count == 1 else {
      throw refuse(
        single.isEmpty
          ? "it has neither a pipeline nor a model as safetensors; it has \(Self.list(files))"
          : "it has several models in one file each (\(Self.list(single.lazy.map { files[$0] }))); "
            + "choose one with --file")
    }
    return single
  }

  /// The files of one part, which lie in a folder.
  private func places(
    in files: [HubListing.File], of folder: String, _ refuse: (String) -> HubError
  ) throws(HubError) -> [Int] {
    func name(_ place: Int) -> Substring { files[place].path.dropFirst(folder.count) }
    let here = files.indices.filter {
      files[$0].path.hasPrefix(folder) && !name($0).contains("/")
    }
    let texts = here.filter { place in
      Self.texts.contains(where: files[place].path.hasSuffix) && !name(place).contains(".index.")
        && !name(place).hasPrefix("README")
    }
    let all = here.filter { files[$0].path.contains(".safetensors") }
    if all.isEmpty {
      let pickles = here.filter {
        files[$0].path.hasSuffix(".bin") || files[$0].path.hasSuffix(".pt")
      }
      guard pickles.isEmpty else {
        throw refuse(
          "the weights of \(quoted(folder)) are pickles only "
            + "(\(Self.list(pickles.lazy.map { files[$0] }))), which other programs run when they "
            + "read them; ask its author for safetensors, or choose files with --file")
      }
      return texts
    }
    let variants = Set(all.lazy.map { Self.variant(of: name($0)) })
    let chosen: String?
    if let variant, variants.contains(variant) {
      chosen = variant
    } else if variants.contains(nil) {
      chosen = nil
    } else if variants.count == 1, let only = variants.first {
      chosen = only
    } else {
      let known = variants.lazy.compactMap { $0 }.prefix(8).sorted().joined(separator: ", ")
      throw refuse("it has its weights as \(known); choose one with --variant")
    }
    return texts + all.filter { Self.variant(of: name($0)) == chosen }
  }

  /// `fp16` of `model.fp16.safetensors`, `model.fp16-00001-of-00002.safetensors` and
  /// `model.safetensors.index.fp16.json`; nil of the plain forms.
  static func variant(of name: Substring) -> String? {
    guard let end = name.firstRange(of: ".safetensors") else { return nil }
    if let index = name.firstRange(of: ".index."), name.hasSuffix(".json") {
      let inner = name[index.upperBound...].dropLast("json".count)
      if !inner.isEmpty { return String(inner.dropLast()) }
    }
    let stem = name[..<end.lowerBound]
    guard let dot = stem.lastIndex(of: ".") else { return nil }
    let variant = stem[stem.index(after: dot)...]
    return String(variant.split(separator: "-").first ?? variant)
  }

  private static func list(_ files: some Collection<HubListing.File>) -> String {
    let names = files.prefix(8).map(\.path).joined(separator: ", ")
    return files.count > 8 ? "\(names) and \(files.count - 8) more" : names
  }
}
