import ItoComponents

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Variants of one recipe, trained one after the other: which there are, and how far each is.
///
/// Kept in `comparison.json` of the comparison's folder, so that the same command goes on where it was
/// stopped, and another choice of variants joins those that are there. Each variant has a folder with its
/// recipe, its run and its model.
struct Comparison {
  struct Variant {
    /// What differs from the recipe, in a few words.
    var name: String
    /// The whole recipe.
    var recipe: JSONValue
    /// Steps in all; nil until they are known.
    var steps: Int?
    /// Processor seconds of training, over threads.
    var seconds = 0.0
    var isDone = false
    /// Whether this call asks for it; the others are those of earlier calls with the same folder.
    var isWanted = true
  }

  let folder: String
  /// What the folder belongs to: another comparison may not go on in it.
  let identity: String
  var variants: [Variant]

  private var stateFile: String { folder + "/comparison.json" }

  /// The comparison of the recipe in `file` with all combinations of `variations`.
  init(recipe file: String, variations: [RecipeVariation], budget: String, folder: String) throws {
    self.folder = folder
    let original = try Recipe(file: file)
    guard original.data.test != nil else {
      throw CommandFailure(
        "\(file): \"data.test\" is missing; variants are compared by their error on held-out data")
    }
    try makeFolder(folder)
    let scratch = folder + "/candidate.yaml"
    func isKnown(_ source: JSONValue) -> Bool {
      let bytes = source.utf8(.pretty)
      guard (try? AtomicFile.write(scratch, bytes: bytes)) != nil else { return false }
      return (try? Recipe(file: scratch)) != nil
    }
    defer { unlink(scratch) }
    var found: [(names: [String], source: JSONValue)] = [([], original.source)]
    for variation in variations {
      found = try found.flatMap { base in
        try variation.values.map { value in
          let source = try variation.applied(to: base.source, value: value, isKnown: isKnown)
          return (base.names + ["\(variation.key)=\(value)"], source)
        }
      }
    }
    if !found.contains(where: { $0.source == original.source }) {
      found.insert((["as it is"], original.source), at: 0)
    }
    variants = found.map { Variant(name: $0.names.joined(separator: " "), recipe: $0.source) }
    identity = JSONValue.array([original.source, .string(budget)]).text()
    try restore()
  }

  /// The folder of variant `index`.
  func folder(of index: Int) -> String { folder(named: variants[index].name) }

  private func folder(named name: String) -> String {
    let slug = name.map { $0.isLetter || $0.isNumber || $0 == "." ? $0 : "-" }
    return "\(folder)/\(String(slug.prefix(80)))"
  }

  /// Takes over what an earlier call has done.
  private mutating func restore() throws {
    guard ModelLocator.isFile(stateFile) else { return }
    let state: JSONValue
    do { state = try JSONValue.parse(try readFile(stateFile, limit: 1 << 26)) } catch {
      throw CommandFailure(
        "\(stateFile) cannot be read (\(error)); delete the folder or choose another")
    }
    guard state["identity"]?.string == identity else {
      throw CommandFailure(
        "\(folder) holds the comparison of another recipe or budget; give another --output.")
    }
    for saved in state["variants"]?.array ?? [] {
      guard let name = saved["name"]?.string else { continue }
      let index: Int
      if let known = variants.firstIndex(where: { $0.name == name }) {
        index = known
      } else {
        // Of an earlier call, unless somebody deleted it.
        let file = folder(named: name) + "/recipe.yaml"
        guard ModelLocator.isFile(file) else { continue }
        variants.append(Variant(name: name, recipe: try Recipe(file: file).source))
        index = variants.count - 1
        variants[index].isWanted = false
      }
      variants[index].steps = saved["steps"]?.int
      variants[index].seconds = saved["seconds"]?.double ?? 0
      variants[index].isDone = saved["done"]?.bool ?? false
    }
  }

  /// Writes how far it is.
  func save() throws {
    let list: [JSONValue] = variants.map { variant in
      [
        "name": .string(variant.name),
        "steps": variant.steps.map { .integer(Int64($0)) } ?? .null,
        "seconds": .double(variant.seconds), "done": .bool(variant.isDone),
      ]
    }
    let state: JSONValue = ["identity": .string(identity), "variants": .array(list)]
    try AtomicFile.write(stateFile, bytes: state.utf8(.pretty))
  }
}
