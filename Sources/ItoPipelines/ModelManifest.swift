public import ItoComponents

/// What a model folder says of itself in `model.json`: which network, which process, which pictures.
///
/// Everything is named by registry entries and options, so a folder needs no code of its own.
///
///     { "format": "ito-model", "version": 1, "task": "generate",
///       "network": { "_class_name": "UNet2DModel", … }, "weights": "model.safetensors",
///       "schedule": "rectified-flow", "parameterization": "flow", "codec": "pixels",
///       "image": { "height": 28, "width": 28, "channels": 1 }, "labels": ["Bag", …],
///       "sampling": { "solver": "dpm++2m", "spacing": "uniform", "steps": 20, "guidance": "cfg:scale=2" } }
public struct ModelManifest: Sendable, Hashable {
  /// What a model does.
  public enum Task: String, Sendable, Hashable, CaseIterable {
    /// Draws pictures.
    case generate
    /// Names the class of a picture.
    case classify
    /// Makes small pictures large.
    case enlarge
    /// Tells whether a picture and a caption belong together.
    case match
    /// Turns pictures into latents and back.
    case autoencode
  }

  /// What it does.
  public var task: Task
  /// One line for people.
  public var summary: String
  /// The network's `config.json`.
  public var network: JSONValue
  /// File with the weights, in the same folder.
  public var weights: String
  /// The noise schedule.
  public var schedule: ComponentChoice
  /// The meaning of the network's output.
  public var parameterization: ComponentChoice
  /// What latents are.
  public var codec: ComponentChoice
  /// Size of the pictures it was trained on.
  public var height: Int, width: Int, channels: Int
  /// Names of the classes, in the order of their numbers.
  public var labels: [String]
  /// What is drawn when nothing is asked for, by a model that takes words.
  public var examples: [String]
  /// Folder of the text encoder, in the model's folder; nil for a model without prompts.
  public var textEncoder: String?
  /// Folder of the network that makes latents large, in the model's folder; nil to decode with the codec.
  public var enlarger: String?
  /// What to sample with when nothing is asked for.
  public var solver: ComponentChoice, spacing: ComponentChoice, guidance: ComponentChoice
  /// Steps when nothing is asked for.
  public var steps: Int
  /// How it came about: recipe, steps, data, licence. Not interpreted.
  public var provenance: JSONValue

  /// The manifest of a model with these settings.
  public init(
    task: Task, summary: String, network: JSONValue, weights: String = "model.safetensors",
    schedule: ComponentChoice = ComponentChoice("rectified-flow"),
    parameterization: ComponentChoice = ComponentChoice("flow"),
    codec: ComponentChoice = ComponentChoice("pixels"), height: Int, width: Int, channels: Int,
    labels: [String], examples: [String] = [], textEncoder: String? = nil,
    enlarger: String? = nil, solver: ComponentChoice = ComponentChoice("dpm++2m"),
    spacing: ComponentChoice = ComponentChoice("range"),
    guidance: ComponentChoice = ComponentChoice("none"), steps: Int = 20,
    provenance: JSONValue = .null
  ) {
    self.task = task
    self.summary = summary
    self.network = network
    self.weights = weights
    self.schedule = schedule
    self.parameterization = parameterization
    self.codec = codec
    self.height = height
    self.width = width
    self.channels = channels
    self.labels = labels
    self.examples = examples
    self.textEncoder = textEncoder
    self.enlarger = enlarger
    self.solver = solver
    self.spacing = spacing
    self.guidance = guidance
    self.steps = steps
    self.provenance = provenance
  }
}

extension ModelManifest {
  /// Reads `folder/model.json`.
  public init(folder: String) throws(PipelineError) {
    let file = folder + "/model.json"
    let bytes = try wrapping(PipelineError.file) { () throws(FileError) in
      try readFile(file, limit: 1 << 24)
    }
    let json = try wrapping({ PipelineError.syntax(file: file, $0) }) {
      () throws(JSONError) in try JSONValue.parse(bytes)
    }
    try self.init(json, file: file)
  }

  init(_ json: JSONValue, file: String) throws(PipelineError) {
    func wrong(_ key: String, _ reason: String) -> PipelineError {
      .manifest(file: file, key: key, reason: reason)
    }
    guard json["format"]?.string == "ito-model" else {
      throw wrong("format", "is not \"ito-model\": this is not a model folder of Itô")
    }
    guard json["version"]?.int == 1 else {
      throw wrong("version", "is not 1: the folder was written by a newer Itô; update this one")
    }
    guard let task = json["task"]?.string.flatMap(Task.init(rawValue:)) else {
      throw wrong(
        "task", "must be one of " + Task.allCases.map(\.rawValue).joined(separator: ", "))
    }
    guard let network = json["network"], network.object != nil else {
      throw wrong("network", "must be the network's configuration")
    }
    let weights = json["weights"]?.string ?? "model.safetensors"
    guard !weights.contains("/"), weights != "..", !weights.isEmpty else {
      throw wrong("weights", "must be the name of a file in the same folder")
    }
    func size(_ key: String) throws(PipelineError) -> Int {
      guard let value = json["image"]?[key]?.int, (1...65536).contains(value) else {
        throw wrong("image.\(key)", "must be a whole number from 1 to 65536")
      }
      return value
    }
    func names(_ key: String) throws(PipelineError) -> [String] {
      let names = (json[key]?.array ?? []).compactMap(\.string)
      guard names.count == json[key]?.array?.count ?? 0 else {
        throw wrong(key, "must be a list of texts")
      }
      return names
    }
    func folder(_ key: String) throws(PipelineError) -> String? {
      guard let value = json[key], value != .null else { return nil }
      guard let name = value.string, !name.isEmpty, !name.contains("/"), !name.hasPrefix(".") else {
        throw wrong(key, "must be the name of a folder in the model's folder")
      }
      return name
    }
    func component(_ key: String, in object: JSONValue?, default fallback: String)
      throws(PipelineError) -> ComponentChoice
    {
      guard let value = object?[key] else { return ComponentChoice(fallback) }
      guard let text = value.string else {
        throw wrong(key, "must be text such as \"name:option=1\"")
      }
      return try wrapping(PipelineError.option) { () throws(OptionError) in
        try ComponentChoice(parsing: text)
      }
    }
    let sampling = json["sampling"]
    let steps = sampling?["steps"]?.int ?? 20
    guard (1...10000).contains(steps) else {
      throw wrong("sampling.steps", "must be from 1 to 10000")
    }
    self.init(
      task: task, summary: json["summary"]?.string ?? "", network: network, weights: weights,
      schedule: try component("schedule", in: json, default: "rectified-flow"),
      parameterization: try component("parameterization", in: json, default: "flow"),
      codec: try component("codec", in: json, default: "pixels"), height: try size("height"),
      width: try size("width"), channels: try size("channels"), labels: try names("labels"),
      examples: try names("examples"),
      textEncoder: try folder("text_encoder"), enlarger: try folder("enlarger"),
      solver: try component("solver", in: sampling, default: "dpm++2m"),
      spacing: try component("spacing", in: sampling, default: "range"),
      guidance: try component("guidance", in: sampling, default: "none"), steps: steps,
      provenance: json["provenance"] ?? .null)
  }

  /// The contents of `model.json`.
  public var json: JSONValue {
    var object: JSONObject = [
      "format": "ito-model", "version": 1, "task": .string(task.rawValue),
      "summary": .string(summary), "network": network, "weights": .string(weights),
      "image": [
        "height": .integer(Int64(height)), "width": .integer(Int64(width)),
        "channels": .integer(Int64(channels)),
      ],
      "labels": .array(labels.map { .string($0) }),
    ]
    if !examples.isEmpty { object["examples"] = .array(examples.map { .string($0) }) }
    if let textEncoder { object["text_encoder"] = .string(textEncoder) }
    if let enlarger { object["enlarger"] = .string(enlarger) }
    if task == .generate {
      object["schedule"] = .string(schedule.description)
      object["parameterization"] = .string(parameterization.description)
      object["codec"] = .string(codec.description)
      object["sampling"] = [
        "solver": .string(solver.description), "spacing": .string(spacing.description),
        "steps": .integer(Int64(steps)), "guidance": .string(guidance.description),
      ]
    }
    if provenance != .null { object["provenance"] = provenance }
    return .object(object)
  }
}
