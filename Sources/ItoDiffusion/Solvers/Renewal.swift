import ItoComponents

/// How much of its noise a step draws anew.
public struct Renewal: Sendable, Hashable {
  /// Share of the reversed process's noise: 0 for none.
  public var eta: Double
  /// Scale of the new noise.
  public var noiseScale: Double

  /// Without noise unless told otherwise.
  public init(eta: Double = 0, noiseScale: Double = 1) {
    self.eta = eta
    self.noiseScale = noiseScale
  }

  /// Takes the options `eta`, `noise-scale`.
  init(options: inout OptionReader, eta: Double) throws(OptionError) {
    self.eta = try options.double("eta", default: eta, in: 0...10)
    noiseScale = try options.double("noise-scale", default: 1, in: 0...10)
  }
}

/// A step in sigma/alpha taken further down than wanted, the difference made up by fresh noise.
///
/// - Source: `get_ancestral_step` of k-diffusion; Song et al. 2021, arXiv:2010.02502, equation 16.
struct AncestralSplit {
  /// Where the deterministic part goes, sigma/alpha.
  let down: Double
  /// Deviation of the new noise, sigma/alpha.
  let up: Double

  init(from current: NoiseLevel, to next: NoiseLevel, eta: Double) {
    let target = next.noiseToSignal
    let remainder = current.remainder(at: next)
    up = min(target, eta * target * max(0, 1 - remainder * remainder).squareRoot())
    down = max(0, target * target - up * up).squareRoot()
  }
}
