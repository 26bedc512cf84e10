import ItoCheckpoints
import ItoModules
import ItoTensors

/// An adapter to be put beside a model's weights: a LoRA or a relative, and how much of it counts.
public struct AdapterChoice: Sendable, Hashable {
  /// Its file.
  public var path: String
  /// 1 is all of it, 0 nothing; more and less than nothing are possible.
  public var strength: Double

  /// The adapter in the file at `path`.
  public init(_ path: String, strength: Double = 1) {
    self.path = path
    self.strength = strength
  }

  /// The file's name without folder and ending, as pictures note it.
  public var name: String {
    let file = path.split(separator: "/").last.map(String.init) ?? path
    return file.lastIndex(of: ".").map { String(file[..<$0]) } ?? file
  }
}

extension LoadingOptions {
  /// Throws when an adapter has nothing for any part of a model, named as its folder names them.
  func checkAdapters(for parts: some Collection<String>) throws(PipelineError) {
    for choice in adapters {
      let file = try open(choice)
      // Files call every denoising network `unet`.
      let known = Set(parts.map { $0 == "transformer" ? "unet" : $0 })
      guard file.parts.isDisjoint(with: known) else { continue }
      throw .request(
        "\(choice.path) changes \(file.parts.sorted().joined(separator: ", ")), of which this model has "
          + "none; it is for another kind of model")
    }
  }

  /// `model` with the adapters' changes to the part it is, beside its weights or merged into them.
  ///
  /// - Throws: when a change does not fit its weight, or none of a file's changes is of a weight the
  ///   model has.
  func adapting<M: Module>(
    _ model: M, part: String, names: @autoclosure () -> AdapterNames, dtype: DType
  ) throws(PipelineError) -> M {
    if adapters.isEmpty { return model }
    let names = names()
    var result = model
    for choice in adapters {
      let file = try open(choice)
      guard file.parts.contains(part) else { continue }
      let adapter = try wrapping(PipelineError.checkpoint) { () throws(CheckpointError) in
        try Adapter(file, part: part, of: model, names: names)
      }
      report("\(choice.path): \(part): \(adapter.report) at strength \(choice.strength)")
      result = result.applying(adapter.transform(strength: choice.strength))
    }
    return mergesAdapters ? result.applying(AdapterMerging(dtype: dtype)) : result
  }

  private func open(_ choice: AdapterChoice) throws(PipelineError) -> AdapterFile {
    try wrapping(PipelineError.checkpoint) { () throws(CheckpointError) in
      try AdapterFile(path: choice.path)
    }
  }
}
