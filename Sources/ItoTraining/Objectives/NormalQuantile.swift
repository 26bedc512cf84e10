#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

/// The value below which a unit normal falls with `probability` ∈ (0, 1).
///
/// Halley's method on `erfc`, from a start that is right to 4.5e-4, until nothing changes: three
/// steps at most. Relative error below 1e-13.
///
/// - Source: start from Abramowitz & Stegun 1964, *Handbook of Mathematical Functions*, 26.2.23.
func normalQuantile(_ probability: Double) -> Double {
  if probability > 0.5 { return -normalQuantile(1 - probability) }
  // The tail's own quantile, negative.
  let t = (-2 * log(probability)).squareRoot()
  let numerator = 2.515517 + t * (0.802853 + t * 0.010328)
  let denominator = 1 + t * (1.432788 + t * (0.189269 + t * 0.001308))
  var x = numerator / denominator - t
  for _ in 0..<3 {
    let error = erfc(-x / 2.0.squareRoot()) / 2 - probability
    let density = exp(-x * x / 2) / (2 * .pi).squareRoot()
    let step = error / density
    let change = step / (1 + x * step / 2)
    x -= change
    if abs(change) <= 1e-15 * max(1, abs(x)) { break }
  }
  return x
}
