import ItoTensors

/// How one output of a golden folder compares with ours.
public struct ParityReport: Sendable {
  /// Name of the output.
  public let output: String
  /// Largest absolute difference.
  public let largestDifference: Double
  /// ‖ours − golden‖ / ‖golden‖.
  public let relativeRMS: Double
  /// The most `relativeRMS` may be; nil when every bit must agree.
  public let tolerance: Double?
  /// The most `largestDifference` may be, for outputs that are judged by it.
  public let allowance: Double?
  /// Whether bits that must agree do.
  let isIdentical: Bool

  /// Whether the output is right.
  public var passes: Bool {
    if let allowance { return largestDifference <= allowance }
    return tolerance.map { relativeRMS <= $0 } ?? isIdentical
  }

  /// Compares `ours` with `golden`; a different shape never passes.
  init(
    _ output: String, ours: Tensor, golden: Tensor, tolerance: Double?, allowance: Double? = nil
  ) {
    self.output = output
    self.tolerance = tolerance
    self.allowance = allowance
    guard ours.shape == golden.shape else {
      largestDifference = .infinity
      relativeRMS = .infinity
      isIdentical = false
      return
    }
    let (a, b) = (ours.scalars, golden.scalars)
    var worst = 0.0, difference = 0.0, norm = 0.0
    for (x, y) in zip(a, b) {
      let d = Double(x) - Double(y)
      worst = d.isFinite ? max(worst, d.magnitude) : .infinity
      difference += d * d
      norm += Double(y) * Double(y)
    }
    largestDifference = worst
    let ratio = norm > 0 ? (difference / norm).squareRoot() : difference.squareRoot()
    relativeRMS = ratio.isFinite ? ratio : .infinity
    isIdentical = zip(a, b).allSatisfy { $0.bitPattern == $1.bitPattern }
  }
}

/// The most a network's output may differ from its golden, float32, relative RMS.
public let networkTolerance = 2e-5
/// The same over a solver's whole trajectory.
public let trajectoryTolerance = 5e-5
/// The same over the latents of a whole pipeline.
public let pipelineTolerance = 1e-4
/// The most any value of a picture in 0…1 may differ: one step of 8 bits.
public let pictureAllowance = 1.0 / 255
