public import ItoComponents
public import ItoDiffusion

/// Turns texts into what a network is conditioned on.
public protocol TextEncoder: Sendable {
  /// Everything the result depends on besides the prompt, for caches.
  var identity: String { get }
  /// Tokens `[prompts, tokens, features]` with their mask, and pooled prompts `[prompts, features]`.
  func encode(_ prompts: [String]) throws(PipelineError) -> Conditioning
  /// The conditioning of one sample without a prompt, with the fields of `encode`.
  var unconditional: Conditioning { get }
}

/// A kind of text encoder in the registry.
public struct TextEncoderFamily: Sendable {
  /// The `_class_name` of its `config.json`.
  public let className: String
  /// Loads one from a folder with `config.json`, weights and vocabulary, given the first of these.
  public let load:
    @Sendable (_ folder: String, _ configuration: JSONValue) throws(PipelineError)
      -> any TextEncoder

  /// The entry of the encoders that `load` makes.
  public init(
    className: String,
    load: @escaping @Sendable (String, JSONValue) throws(PipelineError) -> any TextEncoder
  ) {
    self.className = className
    self.load = load
  }

  /// Loads the text encoder in `folder`.
  public static func load(folder: String) throws(PipelineError) -> any TextEncoder {
    let file = folder + "/config.json"
    let bytes = try wrapping(PipelineError.file) { () throws(FileError) in
      try readFile(file, limit: 1 << 24)
    }
    let json = try wrapping({ PipelineError.syntax(file: file, $0) }) {
      () throws(JSONError) in try JSONValue.parse(bytes)
    }
    let name = json["_class_name"]?.string ?? json["architectures"]?.array?.first?.string ?? ""
    guard let family = builtin.first(where: { $0.className == name }) else {
      throw .request(
        "\(file): \"\(name)\" is not a text encoder known here; known are "
          + builtin.map(\.className).joined(separator: ", "))
    }
    return try family.load(folder, json)
  }
}
