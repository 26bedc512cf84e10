public import ItoTensors

/// What a sample is asked to be: encoded prompts, labels, pictures.
///
/// A concrete struct, not an associated type: every model reads the fields it knows. Each tensor's
/// first axis is the batch.
public struct Conditioning: Sendable {
  /// Token stream of the prompt, `[batch, tokens, features]`.
  public var tokens: Tensor?
  /// The whole prompt as one vector, `[batch, features]`.
  public var pooled: Tensor?
  /// Which tokens count, `[batch, tokens]` bool.
  public var mask: Tensor?
  /// Class label, `[batch]` integers.
  public var label: Tensor?
  /// A picture to condition on, `[batch, height, width, channels]`.
  public var image: Tensor?
  private var extras: [ObjectIdentifier: any ConditioningValue] = [:]

  /// Nothing asked for unless given.
  public init(
    tokens: Tensor? = nil, pooled: Tensor? = nil, mask: Tensor? = nil, label: Tensor? = nil,
    image: Tensor? = nil
  ) {
    self.tokens = tokens
    self.pooled = pooled
    self.mask = mask
    self.label = label
    self.image = image
  }

  /// The value that a model or an adapter keeps under its own key.
  public subscript<Key: ConditioningKey>(key: Key.Type) -> Key.Value? {
    get { extras[ObjectIdentifier(key)] as? Key.Value }
    set { extras[ObjectIdentifier(key)] = newValue }
  }
}

/// A name for conditioning of one's own, with the type of its value:
/// `enum ImageSize: ConditioningKey { typealias Value = Tensor }`.
public protocol ConditioningKey {
  /// What is kept under the key.
  associatedtype Value: ConditioningValue
}

/// Something that has a value for each sample of a batch.
public protocol ConditioningValue: Sendable {
  /// Number of samples.
  var batchCount: Int { get }
  /// The samples of all `values`, one after the other; nil when they do not fit together.
  static func batched(_ values: [Self]) -> Self?
  /// The one sample `count` times.
  func repeated(_ count: Int) -> Self
}

extension ConditioningValue {
  fileprivate static func batchedAny(_ values: [any ConditioningValue]) -> (any ConditioningValue)?
  {
    let own = values.compactMap { $0 as? Self }
    return own.count == values.count ? batched(own) : nil
  }
}

extension Tensor: ConditioningValue {
  /// Size of the first axis.
  public var batchCount: Int { shape.rank > 0 ? shape[0] : 1 }

  /// The tensors one after the other along the first axis; nil when shapes or element types differ.
  public static func batched(_ values: [Tensor]) -> Tensor? {
    guard let first = values.first, first.shape.rank > 0 else { return nil }
    let fits = values.allSatisfy {
      $0.dtype == first.dtype && $0.shape.dims.dropFirst() == first.shape.dims.dropFirst()
    }
    return fits ? Tensor.concatenated(values, axis: 0) : nil
  }

  /// The one sample `count` times along the first axis.
  public func repeated(_ count: Int) -> Tensor {
    Tensor.concatenated([Tensor](repeating: self, count: count), axis: 0)
  }
}

extension Conditioning {
  /// Number of samples; nil when nothing is asked for.
  public var batchCount: Int? {
    fields.lazy.compactMap { $0?.batchCount }.first ?? extras.values.first?.batchCount
  }

  private var fields: [Tensor?] { [tokens, pooled, mask, label, image] }

  /// Whether both hold the very same tensors, and nothing beside tensors.
  func isSame(as other: Conditioning) -> Bool {
    func same(_ a: Tensor?, _ b: Tensor?) -> Bool {
      guard let a, let b else { return a == nil && b == nil }
      return a.storageAddress == b.storageAddress && a.shape == b.shape && a.dtype == b.dtype
    }
    return Swift.zip(fields, other.fields).allSatisfy(same)
      && extras.count == other.extras.count
      && extras.allSatisfy { key, value in
        guard let own = value as? Tensor, let its = other.extras[key] as? Tensor else {
          return false
        }
        return same(own, its)
      }
  }

  /// The samples of all `parts`, one after the other; nil when they do not fit together, such as a
  /// part with a label beside one without.
  ///
  /// Prompts of different lengths fit if every part has a mask: the shorter are padded with zeros
  /// that the mask excludes.
  public static func batched(_ parts: [Conditioning]) -> Conditioning? {
    guard let first = parts.first else { return nil }
    if parts.count == 1 { return first }
    let parts = padded(parts)
    var result = Conditioning()
    for path in [\Conditioning.tokens, \.pooled, \.mask, \.label, \.image] {
      let values = parts.compactMap { $0[keyPath: path] }
      if values.isEmpty { continue }
      guard values.count == parts.count, let joined = Tensor.batched(values) else { return nil }
      result[keyPath: path] = joined
    }
    for (key, value) in first.extras {
      let values = parts.compactMap { $0.extras[key] }
      guard values.count == parts.count, let joined = type(of: value).batchedAny(values) else {
        return nil
      }
      result.extras[key] = joined
    }
    let isComplete = parts.allSatisfy { $0.extras.count == first.extras.count }
    return isComplete ? result : nil
  }

  /// One sample's conditioning for `count` samples; one that has `count` already is returned as is.
  public func expanded(to count: Int) throws(SamplingError) -> Conditioning {
    func expand<Value: ConditioningValue>(_ value: Value) throws(SamplingError) -> Value {
      if value.batchCount == count { return value }
      guard value.batchCount == 1 else {
        throw .invalidRequest("conditioning for \(value.batchCount) samples in a run of \(count)")
      }
      return value.repeated(count)
    }
    var result = self
    for path in [\Conditioning.tokens, \.pooled, \.mask, \.label, \.image] {
      if let value = self[keyPath: path] { result[keyPath: path] = try expand(value) }
    }
    for (key, value) in extras { result.extras[key] = try expand(value) }
    return result
  }

  /// The parts with their prompts padded to the longest, where all have masks.
  private static func padded(_ parts: [Conditioning]) -> [Conditioning] {
    let lengths = parts.map { $0.tokens.map { $0.shape.rank == 3 ? $0.shape[1] : 0 } ?? 0 }
    guard let longest = lengths.max(), Set(lengths).count > 1, lengths.allSatisfy({ $0 > 0 }),
      parts.allSatisfy({ $0.mask != nil })
    else { return parts }
    return Swift.zip(parts, lengths).map { part, length in
      guard length < longest, let tokens = part.tokens, let mask = part.mask else { return part }
      var part = part
      let (batch, extra) = (tokens.shape[0], longest - length)
      let blank = Tensor(zeros: [batch, extra, tokens.shape[2]], dtype: tokens.dtype)
      part.tokens = Tensor.concatenated([tokens, blank], axis: 1)
      part.mask = Tensor.concatenated(
        [mask, Tensor(zeros: [batch, extra], dtype: mask.dtype)], axis: 1)
      return part
    }
  }
}
