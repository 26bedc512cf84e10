public import ItoComponents
public import ItoTensors

/// Hides a share of a transformer's tokens in training: most blocks see the others only, the last few see
/// a learned stand-in for each, and the network is asked for the noisy input there.
///
/// Sampling uses all tokens. A few steps without masking at the end (`training.initial`) close the gap
/// between the two, as in the paper's unmasked tuning.
///
/// - Cost: all blocks but the last `decoder` cost `1 − share` of what they did, attention less.
/// - Source: Zheng et al. 2023, *Fast Training of Diffusion Models with Masked Transformers*,
///   arXiv:2306.09305, sections 3.2 and 3.3. There the decoder is blocks of its own, here it is the last
///   ones; there its tokens get a table of positions, here every position has its own stand-in.
public struct TokenMasking: Configurable, Hashable {
  /// `mask-dit`
  public static let name = "mask-dit"
  /// What it does.
  public static let summary = "a share of the tokens is hidden and reconstructed by the last blocks"

  /// Share of the tokens that are hidden.
  public var share: Double
  /// Blocks at the end that see all tokens.
  public var decoder: Int
  /// How much the error of the reconstructed input counts.
  public var weight: Double

  /// Half of the tokens, two blocks, and a tenth of the weight, the first and last as in the paper.
  public init(share: Double = 0.5, decoder: Int = 2, weight: Double = 0.1) {
    self.share = share
    self.decoder = decoder
    self.weight = weight
  }

  /// Options `share` (0.5), `decoder` (2 blocks) and `weight` (0.1).
  public init(options: inout OptionReader) throws(OptionError) {
    share = try options.double("share", default: 0.5, in: 0...0.95)
    decoder = try options.int("decoder", default: 2, in: 1...1000)
    weight = try options.double("weight", default: 0.1, in: 0...1000)
  }

  /// The fewest blocks a network must have: one more than the decoder.
  public var fewestBlocks: Int { decoder + 1 }

  /// Tokens of `tokens` that are hidden; at least one stays.
  public func hiddenCount(of tokens: Int) -> Int {
    min(tokens - 1, Int((share * Double(tokens)).rounded()))
  }

  /// Which of a batch's tokens are hidden, each sample its own: numbers in the list of all samples'
  /// tokens, in order.
  public func hidden(batch: Int, tokens: Int, noise: inout NoiseSource) -> [Int32] {
    let count = hiddenCount(of: tokens)
    return (0..<batch).flatMap { sample in
      noise.permutation(tokens).prefix(count).sorted().map { Int32(sample * tokens + $0) }
    }
  }
}

/// The masks of one training step.
struct TokenMask: TokenPath {
  let masking: TokenMasking
  /// Numbers of the tokens that are hidden, as many for each sample.
  let hidden: [Int32]
  /// What stands in for the token at each position, `[1, tokens, features]`.
  let standIns: Tensor
  /// Numbers of the others, between the first block and the decoder.
  private var seen: [Int32]?

  init(_ masking: TokenMasking, hidden: [Int32], standIns: Tensor) {
    self.masking = masking
    self.hidden = hidden
    self.standIns = standIns
  }

  mutating func entering(_ x: Tensor, block index: Int, of count: Int) -> Tensor {
    guard index == 0, !hidden.isEmpty else { return x }
    require(
      count >= masking.fewestBlocks && x.shape.rank == 3
        && standIns.shape == [1, x.shape[1], x.shape[2]],
      "masking of \(x.shape) in \(count) blocks with stand-ins \(standIns.shape)")
    let (batch, tokens) = (x.shape[0], x.shape[1])
    let gone = Set(hidden)
    let kept = (0..<Int32(batch * tokens)).filter { !gone.contains($0) }
    seen = kept
    return x.tokens(at: kept)
  }

  mutating func leaving(_ x: Tensor, block index: Int, of count: Int) -> Tensor {
    guard index == count - masking.decoder - 1, let seen = seen.take() else { return x }
    return standIns.cast(to: x.dtype).broadcast(to: [x.shape[0], standIns.shape[1], x.shape[2]])
      .replacingTokens(at: seen, with: x)
  }
}

extension EvaluationContext {
  /// A context for one training step in which the tokens numbered `hidden` are not seen by all blocks.
  ///
  /// - Parameter standIns: what takes the place of each position's token, `[1, tokens, features]`.
  public convenience init(masking: TokenMasking, hidden: [Int32], standIns: Tensor) {
    self.init(path: TokenMask(masking, hidden: hidden, standIns: standIns))
  }
}
