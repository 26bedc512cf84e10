#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

/// How pixels are weighted when a picture changes size.
///
/// All but `nearest` are antialiased: when shrinking, the filter is stretched to cover every source
/// pixel, so that fine detail averages out instead of turning into patterns.
public enum ResizeFilter: String, Sendable, Hashable, CaseIterable {
  /// The closest pixel; keeps hard edges, for masks and for enlarging tiny pictures.
  case nearest
  /// The mean of the covered area.
  case box
  /// Triangle of radius 1.
  case bilinear
  /// Cubic convolution of radius 2 with a = −½ (Keys 1981, *Cubic convolution interpolation for
  /// digital image processing*, eq. 4).
  case bicubic
  /// Windowed sinc of radius 3 (Duchon 1979, *Lanczos filtering in one and two dimensions*). The
  /// sharpest.
  case lanczos3 = "lanczos"

  /// Distance in pixels beyond which the weight is zero.
  var radius: Double {
    switch self {
    case .nearest, .box: 0.5
    case .bilinear: 1
    case .bicubic: 2
    case .lanczos3: 3
    }
  }

  /// The weight at distance `x` from the centre.
  func weight(at x: Double) -> Double {
    let distance = abs(x)
    switch self {
    case .nearest, .box:
      return x > -0.5 && x <= 0.5 ? 1 : 0
    case .bilinear:
      return max(0, 1 - distance)
    case .bicubic:
      let a = -0.5
      if distance < 1 { return ((a + 2) * distance - (a + 3)) * distance * distance + 1 }
      if distance < 2 { return (((distance - 5) * distance + 8) * distance - 4) * a }
      return 0
    case .lanczos3:
      return distance < 3 ? Self.sinc(x) * Self.sinc(x / 3) : 0
    }
  }

  private static func sinc(_ x: Double) -> Double {
    x == 0 ? 1 : sin(x * .pi) / (x * .pi)
  }
}

/// The source pixels of each target pixel along one axis, with their weights in fixed point.
struct ResizeTaps {
  /// Bits after the point. With 8-bit pixels and weights that overshoot by less than 2, sums stay
  /// below 2³¹.
  static let fractionBits = 22

  /// First source pixel of each target pixel.
  var starts: [Int] = []
  /// Where each target pixel's weights begin, and one past the last.
  var offsets: [Int] = [0]
  var weights: [Int32] = []

  /// Taps that map `source` pixels to `target` pixels.
  init(from source: Int, to target: Int, filter: ResizeFilter) {
    let scale = Double(source) / Double(target)
    let stretch = max(scale, 1)
    let reach = filter.radius * stretch
    for i in 0..<target {
      let center = (Double(i) + 0.5) * scale
      let first = max(0, Int(center - reach + 0.5))
      let end = min(source, Int(center + reach + 0.5))
      let raw = (first..<end).map { filter.weight(at: (Double($0) - center + 0.5) / stretch) }
      let sum = raw.reduce(0, +)
      let unit = Double(1 << Self.fractionBits) / (sum == 0 ? 1 : sum)
      starts.append(first)
      weights += raw.map { Int32(($0 * unit).rounded(.toNearestOrAwayFromZero)) }
      offsets.append(weights.count)
    }
  }
}
