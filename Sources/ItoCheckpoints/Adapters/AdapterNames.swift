public import ItoModules
import ItoTensors

/// The names adapter files may use for the weights of a model, and the paths they stand for.
///
/// kohya's files write a path with underscores for dots, which cannot be undone (`to_out_0`,
/// `down_blocks_0`), so all names are compared in that form, against those of the model at hand.
public struct AdapterNames: Sendable {
  private var paths: [String: ModulePath] = [:]

  /// The names of `model`'s weights.
  ///
  /// - Parameters:
  ///   - keys: the names of its parameters in published checkpoints.
  ///   - aliases: further names of a weight, from its published one: those of the original
  ///     repository.
  public init<M: Module>(
    _ model: M, keys: KeyMap = .identity, aliases: (String) -> [String] = { _ in [] }
  ) {
    var copy = model
    var collector = WeightPaths()
    copy.visit(&collector)
    for path in collector.found {
      var parameter = path
      parameter.components.append("weight")
      let key = keys.source(parameter).key
      let published = key.hasSuffix(".weight") ? String(key.dropLast(".weight".count)) : key
      for name in [published] + aliases(published) {
        let flat = Self.flattened(name)
        if paths[flat] == nil { paths[flat] = path }
        // Text encoders are also written without their outermost name.
        if flat.hasPrefix("text_model_") {
          paths[String(flat.dropFirst("text_model_".count))] = path
        }
      }
    }
  }

  /// The weight of that name; nil when the model has none.
  func path(of name: String) -> ModulePath? { paths[name] }

  static func flattened(_ name: String) -> String {
    String(
      decoding: name.utf8.map { $0 == UInt8(ascii: ".") ? UInt8(ascii: "_") : $0 }, as: UTF8.self)
  }
}

/// Collects where a model has weights.
private struct WeightPaths: ModuleVisitor {
  typealias Failure = Never
  var path = ModulePath()
  var readsValues: Bool { false }
  var found: [ModulePath] = []
  mutating func visitParameter(_ tensor: inout Tensor) {}
  mutating func visitWeight(_ weight: inout any WeightMatrix) { found.append(path) }
  mutating func visitWeight(_ weight: inout any ConvolutionWeight) { found.append(path) }
}
