public import ItoModules

/// Where one of our parameters lives in a checkpoint.
public enum KeySource: Sendable, Hashable {
  /// It is the tensor of that name.
  case whole(String)
  /// It is part `index` of `count` equal parts, along `axis` of the tensor as the file holds it.
  case part(of: String, axis: Int, index: Int, count: Int)

  /// The name of the tensor.
  public var key: String {
    switch self {
    case .whole(let key), .part(let key, _, _, _): key
    }
  }
}

/// Names in a checkpoint for the parameters of a model.
///
/// The map runs from our paths to the file's names, so it covers the model by construction and a
/// tensor that is missing is found. Names are all it concerns: that published files keep
/// convolution kernels as `[out, in / groups, height, width]` is known to the loader.
public struct KeyMap: Sendable {
  /// The place of the parameter at a path.
  public var source: @Sendable (ModulePath) -> KeySource

  /// A map computed by `source`.
  public init(_ source: @escaping @Sendable (ModulePath) -> KeySource) { self.source = source }

  /// The file uses our paths.
  public static let identity = KeyMap { .whole($0.description) }

  /// The file uses our paths below `prefix`, which ends in a dot where the file's does.
  public static func prefixed(_ prefix: String) -> KeyMap {
    KeyMap { .whole(prefix + $0.description) }
  }
}
