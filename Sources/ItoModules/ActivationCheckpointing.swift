public import ItoTensors

private struct Retrack: ModuleVisitor {
  typealias Failure = Never
  var path = ModulePath()
  let tracks: Bool
  var leaves: [Leaf?] = []

  mutating func visitParameter(_ tensor: inout Tensor) {
    let wanted = tracks && tensor.dtype.isFloatingPoint
    tensor = tensor.detached()
    guard wanted else {
      leaves.append(nil)
      return
    }
    let (tracked, leaf) = tensor.tracked()
    tensor = tracked
    leaves.append(leaf)
  }
}

/// Runs `body` without recording its inside; the backward pass runs it again instead of keeping its
/// activations. Same values and gradients, about a third more time, memory of one block.
///
/// - Parameters:
///   - module: an argument because gradients must reach its weights.
///   - inputs: every tensor `body` depends on besides the module.
/// - Source: Chen et al. 2016, *Training Deep Nets with Sublinear Memory Cost*, arXiv:1604.06174.
public func checkpointed<M: Module>(
  _ module: M, _ inputs: [Tensor], _ body: @escaping @Sendable (M, [Tensor]) -> Tensor
) -> Tensor {
  let all = inputs + module.parameters.map(\.tensor)
  guard all.contains(where: \.isTracked) else { return body(module, inputs) }
  var plain = module
  var strip = Retrack(tracks: false)
  plain.visit(&strip)
  let base = plain
  let values = inputs.map { $0.detached() }
  let wanted = inputs.map(\.isTracked)
  return body(base, values).recorded(from: all) { upstream in
    var copy = base
    var retrack = Retrack(tracks: true)
    copy.visit(&retrack)
    var leaves: [Leaf?] = []
    let tracked = Swift.zip(values, wanted).map { value, isWanted in
      guard isWanted else {
        leaves.append(nil)
        return value
      }
      let (tensor, leaf) = value.tracked()
      leaves.append(leaf)
      return tensor
    }
    let gradients = body(copy, tracked).gradients(seed: upstream)
    return (leaves + retrack.leaves).map { $0.flatMap { gradients[$0] } }
  }
}

/// `checkpointed` for a body with one input.
public func checkpointed<M: Module>(
  _ module: M, _ x: Tensor, _ body: @escaping @Sendable (M, Tensor) -> Tensor
) -> Tensor {
  checkpointed(module, [x]) { body($0, $1[0]) }
}
