public import ItoComponents
import ItoTensors

#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

/// How little pictures differ from those they should equal, in decibels: `10·log₁₀(255² / MSE)`, the mean
/// over pairs.
///
/// An error below that of rounding to bytes, 1/12, counts as that: equal pictures have 58.9 dB.
public struct PeakSignalToNoise: PictureMetric, Configurable {
  /// `psnr`
  public static let name = "psnr"
  /// What it measures.
  public static let summary = "peak signal-to-noise ratio of pairs, dB"

  /// The one ratio.
  public init() {}

  /// Takes no options.
  public init(options: inout OptionReader) throws(OptionError) { self.init() }

  /// `psnr`
  public func figures(
    of subject: JudgedCase, bootstrap: Bootstrap
  ) throws(PipelineError) -> [MetricFigure] {
    guard let reference = subject.reference, subject.isComparable else { return [] }
    let values = subject.pairs.map { pair in
      ratio(subject.pictures.bytes(pair.picture), reference.bytes(pair.reference))
    }
    return [MetricFigure("psnr", meanOf: values, bootstrap, unit: "dB", isBetterHigher: true)]
  }

  func ratio(_ a: [UInt8], _ b: [UInt8]) -> Double {
    var sum = 0
    for i in a.indices {
      let difference = Int(a[i]) - Int(b[i])
      sum += difference * difference
    }
    let error = max(Double(sum) / Double(max(1, a.count)), 1.0 / 12)
    return 10 * log10(255 * 255 / error)
  }
}

extension JudgedCase {
  /// Whether pictures and reference pictures come in pairs of one size.
  var isComparable: Bool {
    guard let reference else { return false }
    return !pairs.isEmpty
      && pictures.pixels.shape.dims.dropFirst() == reference.pixels.shape.dims.dropFirst()
  }
}

extension PictureSet {
  /// The pixels of one picture, row by row.
  func bytes(_ index: Int) -> [UInt8] {
    let size = pixels.shape.dims.dropFirst().reduce(1, *)
    return reading(pixels) { base in
      Array(UnsafeRawBufferPointer(start: base + index * size, count: size))
    }
  }
}
