package import ItoTensors

/// Which tokens go through which blocks of a transformer in one training step.
///
/// Asked before and after every `CacheSite.block`, in their order.
package protocol TokenPath {
  /// Before block `index` of `count`: the tokens that go through it, of all `[batch, tokens, features]`.
  mutating func entering(_ hidden: Tensor, block index: Int, of count: Int) -> Tensor
  /// After block `index` of `count`: the tokens that go on.
  mutating func leaving(_ hidden: Tensor, block index: Int, of count: Int) -> Tensor
}

extension Tensor {
  /// The tokens numbered `places` in the list of all samples' tokens, as many of each sample.
  ///
  /// The gradient has the tokens' element type, as those of activations have.
  package func tokens(at places: [Int32]) -> Tensor {
    reshaped(to: [-1, shape[2]]).indexSelected(Tensor(places, shape: [places.count]))
      .reshaped(to: [shape[0], -1, shape[2]])
  }

  /// These tokens, those numbered `places` in the list of all samples' tokens replaced by `own`, in order.
  package func replacingTokens(at places: [Int32], with own: Tensor) -> Tensor {
    let (batch, tokens) = (shape[0], shape[1])
    // Rows of the old tokens, then those of the new, which take the places of the ones they were.
    var rows = (0..<Int32(batch * tokens)).map { $0 }
    for (row, place) in places.enumerated() { rows[Int(place)] = Int32(batch * tokens + row) }
    let both = [self, own].map { $0.reshaped(to: [-1, shape[2]]) }
    return Tensor.concatenated(both, axis: 0)
      .indexSelected(Tensor(rows, shape: [batch * tokens])).reshaped(to: shape)
  }
}
