public import ItoCheckpoints
public import ItoModules
import ItoTensors

extension AdapterNames {
  /// The names adapter files use for the weights of a denoising network: the published ones and, of a
  /// U-Net, those of the original repositories (`input_blocks_4_1_transformer_blocks_0_attn1_to_q`).
  public init<M: Module>(denoiser network: M) {
    let tree = NameTree(ParameterNames.of(network))
    guard tree.has("down_blocks"), tree.has("mid_block") else {
      self.init(network)
      return
    }
    let pairs = UNetNames(published: tree).pairs
    self.init(network, aliases: { name in pairs.theirs(for: name).map { [$0] } ?? [] })
  }
}

/// Collects the names of a network's parameters without looking at their values.
private struct ParameterNames: ModuleVisitor {
  typealias Failure = Never
  var path = ModulePath()
  var readsValues: Bool { false }
  var found: [String] = []

  static func of<M: Module>(_ network: M) -> [String] {
    var copy = network
    var visitor = ParameterNames()
    copy.visit(&visitor)
    return visitor.found
  }

  mutating func visitParameter(_ tensor: inout Tensor) { found.append(path.description) }
}
