public import ItoComponents
import ItoTensors

#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

/// How alike the structures of pictures are to those they should equal, from −1 to 1 for equal ones: the
/// mean over pairs.
///
/// `((2μₓμᵧ + C₁)(2σₓᵧ + C₂)) / ((μₓ² + μᵧ² + C₁)(σₓ² + σᵧ² + C₂))` with means and covariances under a
/// Gaussian window of deviation 1.5 and 11 pixels, averaged over the positions where the window fits and
/// over channels; `C₁ = (0.01·255)²`, `C₂ = (0.03·255)²`.
///
/// - Cost: five filtered maps a channel, 22 products a pixel each.
/// - Source: Wang et al. 2004, *Image Quality Assessment: From Error Visibility to Structural Similarity*,
///   doi:10.1109/TIP.2003.819861, equation 13.
public struct StructuralSimilarity: PictureMetric, Configurable {
  /// `ssim`
  public static let name = "ssim"
  /// What it measures.
  public static let summary = "structural similarity of pairs"

  /// The one of the paper.
  public init() {}

  /// Takes no options.
  public init(options: inout OptionReader) throws(OptionError) { self.init() }

  /// Pixels to each side of the middle of the window.
  static let radius = 5

  /// `ssim`; nothing for pictures smaller than the window.
  public func figures(
    of subject: JudgedCase, bootstrap: Bootstrap
  ) throws(PipelineError) -> [MetricFigure] {
    let shape = subject.pictures.pixels.shape
    guard let reference = subject.reference, subject.isComparable,
      min(shape[1], shape[2]) > 2 * Self.radius
    else { return [] }
    let values = subject.pairs.map { pair in
      similarity(
        subject.pictures.bytes(pair.picture), reference.bytes(pair.reference), height: shape[1],
        width: shape[2], channels: shape[3])
    }
    return [MetricFigure("ssim", meanOf: values, bootstrap, isBetterHigher: true)]
  }

  /// The similarity of two pictures of `channels` interleaved channels.
  func similarity(
    _ a: [UInt8], _ b: [UInt8], height: Int, width: Int, channels: Int
  ) -> Double {
    let c1 = 2.55 * 2.55, c2 = 7.65 * 7.65
    var total = 0.0
    for channel in 0..<channels {
      let x = (0..<(height * width)).map { Double(a[$0 * channels + channel]) }
      let y = (0..<(height * width)).map { Double(b[$0 * channels + channel]) }
      func mean(_ values: [Double]) -> [Double] { filtered(values, height: height, width: width) }
      let (mx, my) = (mean(x), mean(y))
      let xx = mean(x.map { $0 * $0 }), yy = mean(y.map { $0 * $0 })
      let xy = mean(zip(x, y).map { $0 * $1 })
      var sum = 0.0
      for i in mx.indices {
        let (p, q) = (mx[i], my[i])
        let covariance = xy[i] - p * q
        let variances = xx[i] - p * p + yy[i] - q * q
        let luminance = (2 * p * q + c1) / (p * p + q * q + c1)
        sum += luminance * (2 * covariance + c2) / (variances + c2)
      }
      total += sum / Double(mx.count)
    }
    return total / Double(channels)
  }

  /// `values` under the window where it fits, rows first.
  private func filtered(_ values: [Double], height: Int, width: Int) -> [Double] {
    let r = Self.radius, weights = Self.window
    let (rows, columns) = (height - 2 * r, width - 2 * r)
    var narrow = [Double](repeating: 0, count: height * columns)
    for i in 0..<height {
      for j in 0..<columns {
        var sum = 0.0
        for k in weights.indices { sum += weights[k] * values[i * width + j + k] }
        narrow[i * columns + j] = sum
      }
    }
    var result = [Double](repeating: 0, count: rows * columns)
    for i in 0..<rows {
      for k in weights.indices {
        for j in 0..<columns {
          result[i * columns + j] += weights[k] * narrow[(i + k) * columns + j]
        }
      }
    }
    return result
  }

  private static let window: [Double] = {
    let raw = (-radius...radius).map { exp(-Double($0 * $0) / (2 * 1.5 * 1.5)) }
    let sum = raw.reduce(0, +)
    return raw.map { $0 / sum }
  }()
}
