public import ItoModules
import ItoTensors

/// An adapter's changes to one part of a model, ready to be put beside its weights.
///
///     let file = try AdapterFile(path: "style.safetensors")
///     let adapter = try Adapter(file, part: "unet", of: network, names: AdapterNames(network))
///     let styled = try network.applying(adapter.transform(strength: 0.8))
///
/// Nothing of the base is copied; several adapters are applied one after the other.
public struct Adapter: Sendable {
  /// What became of an adapter file's entries for one part.
  public struct Report: Sendable, Hashable, CustomStringConvertible {
    /// The file.
    public var origin: String
    /// Modules changed.
    public var applied: Int
    /// Modules the file has changes for.
    public var total: Int
    /// Names, in the file's spelling, that the model has no weight for.
    public var unmatched: [String]
    /// Names whose method is not supported.
    public var unsupported: [String]

    /// `applied 264 of 264`, and what was not.
    public var description: String {
      var text = "applied \(applied) of \(total)"
      func add(_ names: [String], _ what: String) {
        guard !names.isEmpty else { return }
        let shown = names.prefix(4).joined(separator: ", ")
        text += "; \(what): \(shown)" + (names.count > 4 ? " and \(names.count - 4) more" : "")
      }
      add(unmatched, "the model has no weight for")
      add(unsupported, "of an unsupported method")
      return text
    }
  }

  /// What became of the file's entries.
  public let report: Report
  let changes: [ModulePath: AdapterWeightChange]

  /// The changes of `file` to the weights of `model`.
  ///
  /// - Parameters:
  ///   - part: which part of a pipeline `model` is: `unet`, `text_encoder`, `text_encoder_2`.
  ///   - names: what files call the model's weights.
  /// - Throws: `mismatch` when a change does not fit its weight, which is then of another model;
  ///   `unsupported` when the file has changes for this part and none of them is of a weight the
  ///   model has.
  public init<M: Module>(
    _ file: AdapterFile, part: String, of model: M, names: AdapterNames
  ) throws(CheckpointError) {
    let entries = file.entries[part] ?? []
    var report = Report(
      origin: file.origin, applied: 0, total: entries.count, unmatched: [], unsupported: [])
    let shapes = WeightShapes.of(model)
    var changes: [ModulePath: AdapterWeightChange] = [:]
    var mismatch = LoadMismatch()
    for entry in entries {
      guard let path = names.path(of: entry.module), let shape = shapes[path] else {
        report.unmatched.append(entry.module)
        continue
      }
      guard let change = try AdapterWeightChange(entry, for: shape, of: file, &mismatch, path)
      else {
        report.unsupported.append(entry.module)
        continue
      }
      changes[path] = change
    }
    guard mismatch.isEmpty else { throw .mismatch(mismatch, file: file.origin) }
    report.applied = changes.count
    if !entries.isEmpty && changes.isEmpty {
      throw .unsupported(
        file: file.origin,
        reason: "none of its \(entries.count) changes to the \(part) fits this model ("
          + "\(report.description)); it is for another kind of model")
    }
    self.report = report
    self.changes = changes
  }

  /// The transform that puts the changes beside the weights.
  ///
  /// - Parameter strength: how much of them counts; 1 is all, 0 leaves the model as it is.
  public func transform(strength: Double = 1) -> AdapterTransform {
    AdapterTransform(changes: changes, strength: strength)
  }
}

/// Puts an adapter's changes beside the weights they belong to.
public struct AdapterTransform: WeightTransform {
  let changes: [ModulePath: AdapterWeightChange]
  let strength: Double

  /// The matrix at `path` with its change.
  public func replacement(for weight: any WeightMatrix, at path: ModulePath) -> (any WeightMatrix)?
  {
    guard strength != 0, let change = changes[path] else { return nil }
    let decomposition = change.magnitude.flatMap { magnitude in
      change.matrix.map {
        WeightDecomposition(
          magnitude: magnitude, of: weight.dense() + $0.dense(), isAlongInput: change.isAlongInput)
      }
    }
    return AdaptedWeight(
      weight, delta: change.matrix?.suited(to: weight), biasDelta: change.bias,
      decomposition: decomposition,
      strength: strength)
  }

  /// The kernel at `path` with its change.
  public func replacement(
    for weight: any ConvolutionWeight, at path: ModulePath
  ) -> (any ConvolutionWeight)? {
    guard strength != 0, let change = changes[path] else { return nil }
    let decomposition = change.magnitude.flatMap { magnitude in
      change.kernel.map {
        WeightDecomposition(
          magnitude: magnitude, of: weight.dense() + $0.dense(), isAlongInput: change.isAlongInput)
      }
    }
    return AdaptedKernel(
      weight, delta: change.kernel?.suited(to: weight), biasDelta: change.bias,
      decomposition: decomposition,
      strength: strength)
  }
}

extension Module {
  /// The same with matrices in the element type of a dense `weight`, so that both are multiplied in
  /// one type and the kernels' packed form of the change can be kept.
  fileprivate func suited(to weight: any Module) -> Self {
    guard let type = ElementType.of(weight), type.isFloatingPoint else { return self }
    return converted(to: type == .float16 ? .float32 : type)
  }
}

/// Finds the element type of a weight's first parameter without looking at its values.
private struct ElementType: ModuleVisitor {
  typealias Failure = Never
  var path = ModulePath()
  var readsValues: Bool { false }
  var found: DType?

  static func of<M: Module>(_ weight: M) -> DType? {
    var copy = weight
    var visitor = ElementType()
    copy.visit(&visitor)
    return visitor.found
  }

  mutating func visitParameter(_ tensor: inout Tensor) { found = found ?? tensor.dtype }
}

/// Shapes of a model's weights as published files have them: `[out, in]`, `[out, in, height, width]`.
private struct WeightShapes: ModuleVisitor {
  typealias Failure = Never
  var path = ModulePath()
  var readsValues: Bool { false }
  var found: [ModulePath: Shape] = [:]

  static func of<M: Module>(_ model: M) -> [ModulePath: Shape] {
    var copy = model
    var visitor = WeightShapes()
    copy.visit(&visitor)
    return visitor.found
  }

  mutating func visitParameter(_ tensor: inout Tensor) {}
  mutating func visitWeight(_ weight: inout any WeightMatrix) {
    found[path] = [weight.outFeatures, weight.inFeatures]
  }
  mutating func visitWeight(_ weight: inout any ConvolutionWeight) {
    found[path] = weight.shape.publishedKernel
  }
}
