/// Tensors that lie side by side on the last axis: what `Tensor.concatenated(parts, axis: -1)` is, without the copy.
///
/// Operations that can read their input from several tensors take it; all others take `whole`. The skip connections
/// of a U-Net are read in this form.
public struct JoinedChannels: Sendable {
  /// The tensors, in order: all axes but the last agree, and the element types.
  public let parts: [Tensor]

  /// `parts` side by side. Several element types become the type arithmetic on them would have.
  public init(_ parts: [Tensor]) {
    guard let first = parts.first else { trap("joined channels: no tensors") }
    for part in parts {
      require(
        part.shape.rank >= 1 && part.shape.rank == first.shape.rank
          && part.shape.dims.dropLast() == first.shape.dims.dropLast(),
        "joined channels: shapes \(parts.map(\.shape)) differ before the last axis")
    }
    let type = parts.reduce(first.dtype) { $0.promoted(with: $1.dtype) }
    self.parts = parts.map { $0.cast(to: type) }
  }

  /// The shape of the concatenation.
  public var shape: Shape {
    var shape = parts[0].shape
    shape[-1] = parts.reduce(0) { $0 + $1.shape[-1] }
    return shape
  }
  /// The element type.
  public var dtype: DType { parts[0].dtype }
  /// Whether gradients flow through one of the parts.
  public var isTracked: Bool { parts.contains(where: \.isTracked) }

  /// The concatenation: a copy of all parts, with gradients.
  public var whole: Tensor { Tensor.concatenated(parts, axis: -1) }

  /// The same as one part, for what is going to need the concatenation several times.
  public var joined: JoinedChannels { parts.count == 1 ? self : JoinedChannels([whole]) }

  /// Every part put through `body`, which treats channels alike.
  public func map(_ body: (Tensor) -> Tensor) -> JoinedChannels { JoinedChannels(parts.map(body)) }
}
