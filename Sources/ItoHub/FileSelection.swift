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
    if let index {
      var found = listing.files.filter { $0.path == Self.index }
      for (name, value) in index.object ?? [:] {
        guard !name.hasPrefix("_"), !Self.unused.contains(name), value[1]?.string != nil else {
          continue
        }
        let part = try files(of: listing, in: name + "/", refuse)
        guard !part.isEmpty else { throw refuse("its part '\(name)' has no files") }
        found += part
      }
      return found
    }
    if listing.files.contains(where: { $0.path == "config.json" }) {
      return try files(of: listing, in: "", refuse)
    }
    let single = listing.files.filter {
      !$0.path.contains("/") && ($0.path.hasSuffix(".safetensors") || $0.path.hasSuffix(".gguf"))
    }
    guard single.count == 1 else {
      throw refuse(
        single.isEmpty
          ? "it has neither a pipeline nor a model as safetensors; it has \(Self.list(listing.files))"
          : "it has several models in one file each (\(Self.list(single))); choose one with --file")
    }
    return single
  }

  /// The files of one part.
  private func files(
    of listing: HubListing, in folder: String, _ refuse: (String) -> HubError
  ) throws(HubError) -> [HubListing.File] {
    let here = listing.files.filter {
      $0.path.hasPrefix(folder) && !$0.path.dropFirst(folder.count).contains("/")
    }
    func name(_ file: HubListing.File) -> Substring { file.path.dropFirst(folder.count) }
    let texts = here.filter { file in
      Self.texts.contains(where: file.path.hasSuffix) && !name(file).contains(".index.")
        && !name(file).hasPrefix("README")
    }
    let all = here.filter { $0.path.contains(".safetensors") }
    if all.isEmpty {
      let pickles = here.filter { $0.path.hasSuffix(".bin") || $0.path.hasSuffix(".pt") }
      guard pickles.isEmpty else {
        throw refuse(
          "the weights of '\(folder)' are pickles only (\(Self.list(pickles))), which other programs run "
            + "when they read them; ask its author for safetensors, or choose files with --file")
      }
      return texts
    }
    let variants = Set(all.map { Self.variant(of: name($0)) })
    let chosen: String?
    if let variant, variants.contains(variant) {
      chosen = variant
    } else if variants.contains(nil) {
      chosen = nil
    } else if variants.count == 1, let only = variants.first {
      chosen = only
    } else {
      let known = variants.compactMap { $0 }.sorted().joined(separator: ", ")
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

  private static func list(_ files: [HubListing.File]) -> String {
    let names = files.prefix(8).map(\.path).joined(separator: ", ")
    return files.count > 8 ? "\(names) and \(files.count - 8) more" : names
  }
}
