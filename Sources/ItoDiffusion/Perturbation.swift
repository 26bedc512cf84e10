/// Which parts of a network a pass spoils on purpose, so that guidance can move away from the result.
///
/// Blocks are numbered as the model numbers them: the `block` of an attention, the `index` of a block
/// site.
public struct Perturbation: Sendable, Hashable {
  /// Blocks whose self-attention lets every token see only itself.
  public var identityAttention: BlockSelection
  /// Blocks that are left out.
  public var skippedBlocks: BlockSelection

  /// Nothing spoiled but what is given.
  public init(identityAttention: BlockSelection = .none, skippedBlocks: BlockSelection = .none) {
    self.identityAttention = identityAttention
    self.skippedBlocks = skippedBlocks
  }
}

/// Some of the blocks of a network.
public enum BlockSelection: Sendable, Hashable {
  /// Every block.
  case all
  /// Those with the given numbers.
  case only(Set<Int>)

  /// No block.
  public static let none = BlockSelection.only([])

  /// Whether `block` is among them.
  public func contains(_ block: Int) -> Bool {
    switch self {
    case .all: return true
    case .only(let blocks): return blocks.contains(block)
    }
  }
}
