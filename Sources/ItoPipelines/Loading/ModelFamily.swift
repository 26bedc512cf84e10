/// A kind of model that draws, known by what its folder or file holds.
///
/// One file each, and one line in `Registries.swift`; nothing else knows the families.
public struct ModelFamily: Sendable {
  /// What it is called in messages.
  public let name: String
  let recognises: @Sendable (ModelSource) -> Bool
  let make: @Sendable (ModelSource, LoadingOptions) throws(PipelineError) -> ImageGenerator

  /// A family.
  ///
  /// - Parameters:
  ///   - recognises: whether a source is a model of this family; looks at names and configurations,
  ///     not at weights.
  ///   - make: loads such a model.
  public init(
    name: String, recognises: @escaping @Sendable (ModelSource) -> Bool,
    make:
      @escaping @Sendable (ModelSource, LoadingOptions) throws(PipelineError) -> ImageGenerator
  ) {
    self.name = name
    self.recognises = recognises
    self.make = make
  }

  /// Loads the model at `path` with the first family that recognises it.
  public static func load(
    _ path: String, options: LoadingOptions = LoadingOptions()
  ) throws(PipelineError) -> ImageGenerator {
    var source = try ModelSource(
      path, variant: options.variant, configurations: options.configurations,
      tokenizer: options.tokenizer)
    for (name, path) in options.replacements.sorted(by: { $0.key < $1.key }) {
      source = try source.replacing(name, with: path)
    }
    try options.checkAdapters(for: source.components.keys)
    guard let family = builtin.first(where: { $0.recognises(source) }) else {
      throw .request(
        "\(path): \(source.summary); families known: "
          + builtin.map(\.name).joined(separator: ", "))
    }
    return try family.make(source, options)
  }
}
