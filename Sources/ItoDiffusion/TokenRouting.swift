public import ItoComponents
import ItoTensors

/// Lets a share of a transformer's tokens skip a range of its blocks while it is trained: the blocks see
/// fewer tokens, and the skipped ones come back behind the last of them as they went in.
///
/// Sampling uses all tokens. Works on every network whose blocks are `CacheSite.block` sites with
/// `[batch, tokens, features]` and whose positions are added before the first of them.
///
/// - Cost: blocks `first...last` cost `1 − share` of what they did, attention less.
/// - Source: Krause et al. 2025, *TREAD: Token Routing for Efficient Architecture-agnostic Diffusion
///   Training*, arXiv:2501.04765, section 3.2.
public struct TokenRouting: Configurable, Hashable {
  /// `tread`
  public static let name = "tread"
  /// What it does.
  public static let summary = "a share of the tokens skips the blocks in the middle"

  /// Share of the tokens that skip.
  public var share: Double
  /// The first block they skip.
  public var first: Int
  /// The last block they skip, counted from the end: 1 is the last block.
  public var lastFromEnd: Int

  /// Half of the tokens skip all but the first two blocks and the last four, as in the paper.
  public init(share: Double = 0.5, first: Int = 2, lastFromEnd: Int = 5) {
    self.share = share
    self.first = first
    self.lastFromEnd = lastFromEnd
  }

  /// Options `share` (0.5), `first` (2, the first block skipped) and `last-from-end` (5, the last one,
  /// counted from the end).
  public init(options: inout OptionReader) throws(OptionError) {
    share = try options.double("share", default: 0.5, in: 0...0.99)
    first = try options.int("first", default: 2, in: 0...1000)
    lastFromEnd = try options.int("last-from-end", default: 5, in: 1...1000)
  }

  /// The fewest blocks a network must have.
  public var fewestBlocks: Int { first + lastFromEnd }
}

/// The routes of one training step.
struct TokenRoute: TokenPath {
  let routing: TokenRouting
  var noise: NoiseSource
  /// All tokens as they were before the first block that some skip, and which go through.
  private var waiting: (all: Tensor, kept: [Int32])?

  init(_ routing: TokenRouting, noise: NoiseSource) {
    self.routing = routing
    self.noise = noise
  }

  /// Before block `index` of `count`: the tokens that go through it.
  mutating func entering(_ hidden: Tensor, block index: Int, of count: Int) -> Tensor {
    guard index == routing.first else { return hidden }
    require(
      count >= routing.fewestBlocks && hidden.shape.rank == 3,
      "token routing needs \(routing.fewestBlocks) blocks of [batch, tokens, features], not \(count) "
        + "of \(hidden.shape)")
    let (batch, tokens) = (hidden.shape[0], hidden.shape[1])
    let remaining = max(1, tokens - Int((routing.share * Double(tokens)).rounded()))
    // Each sample its own; in the order of the picture.
    let kept = (0..<batch).flatMap { sample in
      noise.permutation(tokens).prefix(remaining).sorted().map { Int32(sample * tokens + $0) }
    }
    waiting = (hidden, kept)
    return hidden.tokens(at: kept)
  }

  /// After block `index` of `count`: all tokens again.
  mutating func leaving(_ hidden: Tensor, block index: Int, of count: Int) -> Tensor {
    guard index == count - routing.lastFromEnd, let (all, kept) = waiting.take() else {
      return hidden
    }
    return all.replacingTokens(at: kept, with: hidden)
  }
}
