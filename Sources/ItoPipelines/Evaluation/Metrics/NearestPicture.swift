public import ItoComponents
import ItoTensors

/// Whether the nearest of all real pictures is the one that was asked for.
///
/// Pictures are compared as they look from afar and from further: at 32 pixels and at 8, each counting the
/// same. `nearest-top1` and `nearest-top5` are the shares whose wanted picture is the nearest or among the
/// five nearest; `nearest-concept` the share whose nearest picture shows the wanted concept, whatever its
/// details.
///
/// - Cost: one product of `[pictures, 3264]` with `[reference, 3264]` for colour.
public struct NearestPicture: PictureMetric, Configurable {
  /// `nearest`
  public static let name = "nearest"
  /// What it measures.
  public static let summary = "share of pictures whose nearest real one is the one asked for, %"

  /// Side of the finer comparison, pixels.
  public var size: Int

  /// Compared at `size` pixels and at a quarter of that.
  public init(size: Int = 32) { self.size = size }

  /// Option `size` (32).
  public init(options: inout OptionReader) throws(OptionError) {
    size = try options.int("size", default: 32, in: 4...256)
  }

  /// `nearest-top1`, `nearest-top5`, and `nearest-concept` where concepts are known.
  public func figures(
    of subject: JudgedCase, bootstrap: Bootstrap
  ) throws(PipelineError) -> [MetricFigure] {
    guard let reference = subject.reference, !subject.pairs.isEmpty,
      reference.count > 1, reference.pixels.shape[3] == subject.pictures.pixels.shape[3]
    else { return [] }
    let real = descriptors(reference)
    let own = descriptors(subject.pictures)
    let squares = (real * real).sum(axes: [1]).scalars
    var first: [Double] = [], five: [Double] = [], concept: [Double] = []
    for range in PictureSet.batches(own.shape[0], of: 256) {
      let products = own.sliced(range, axis: 0).linear(real).scalars
      for index in range {
        guard let wanted = subject.wanted[index] else { continue }
        let row = (index - range.lowerBound) * reference.count
        // The picture's own square is the same for all.
        func distance(_ other: Int) -> Float { squares[other] - 2 * products[row + other] }
        let limit = distance(wanted)
        var nearest = wanted, nearer = 0
        for other in 0..<reference.count where distance(other) < limit {
          nearer += 1
          if distance(other) < distance(nearest) { nearest = other }
        }
        first.append(nearer == 0 ? 100 : 0)
        five.append(nearer < 5 ? 100 : 0)
        if !reference.concepts.isEmpty {
          concept.append(reference.concepts[nearest] == reference.concepts[wanted] ? 100 : 0)
        }
      }
    }
    func figure(_ name: String, _ values: [Double]) -> MetricFigure {
      MetricFigure(name, meanOf: values, bootstrap, real: 100, unit: "%", isBetterHigher: true)
    }
    return [figure("nearest-top1", first), figure("nearest-top5", five)]
      + (concept.isEmpty ? [] : [figure("nearest-concept", concept)])
  }

  /// `[pictures, features]`: the pixels at both sizes, each with the same weight on the whole.
  func descriptors(_ set: PictureSet) -> Tensor {
    let parts = PictureSet.batches(set.count, of: 256).map { range in
      let pictures = set.floats(range)
      let fine = shrunk(pictures, to: size)
      let coarse = shrunk(fine, to: size / 4)
      return Tensor.concatenated(
        [fine.reshaped(to: [range.count, -1]), (4 * coarse).reshaped(to: [range.count, -1])],
        axis: 1)
    }
    return Tensor.concatenated(parts, axis: 0)
  }

  /// Square pictures of `side` pixels, by averages over areas.
  private func shrunk(_ x: Tensor, to side: Int) -> Tensor {
    let factor = max(1, (max(x.shape[1], x.shape[2]) + side / 2) / side)
    let wide = factor * side
    let square =
      x.shape[1] == wide && x.shape[2] == wide ? x : x.resizedBilinear(height: wide, width: wide)
    return factor == 1 ? square : square.averagePooled(window: factor)
  }
}
