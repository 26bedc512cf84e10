public import ItoComponents

/// What a model draws with when nothing else is asked for.
public struct GenerationDefaults: Sendable {
  /// Size in pixels, and channels of a picture.
  public var height: Int, width: Int, channels: Int
  /// Steps.
  public var steps: Int
  /// The method and how levels are chosen, by the names people know.
  public var solver: String, spacing: String?
  /// How estimates are combined.
  public var guidance: ComponentChoice
  /// Pictures evaluated together.
  public var batchSize: Int
  /// What a model that knows a list of classes can be asked for; empty for one that takes free text.
  public var labels: [String]
  /// What a model that takes words draws when it is asked for nothing.
  public var examples: [String]

  /// Defaults.
  public init(
    height: Int, width: Int, channels: Int = 3, steps: Int, solver: String, spacing: String? = nil,
    guidance: ComponentChoice, batchSize: Int = 1,
    labels: [String] = [], examples: [String] = []
  ) {
    self.height = height
    self.width = width
    self.channels = channels
    self.steps = steps
    self.solver = solver
    self.spacing = spacing
    self.guidance = guidance
    self.batchSize = batchSize
    self.labels = labels
    self.examples = examples
  }
}
