public import ItoTensors

/// How the tape's gradients compare with central differences.
public struct GradientReport: Sendable, CustomStringConvertible {
  /// The largest relative error among the elements compared; infinite for a gradient that is not
  /// finite or has another shape than its input.
  public let worst: Double
  /// How many input elements were compared.
  public let comparisons: Int
  /// Where the worst error is and the two values there.
  public let description: String

  /// The description when the worst error exceeds ``Tolerances/gradient``, else nil.
  public var failure: String? { worst <= Tolerances.gradient ? nil : description }
}

/// Compares the gradients that `function` records with central differences.
///
/// The scalar differentiated is `Σ pᵢ·yᵢ` in double precision, y the output and p fixed unit-normal
/// weights, so each output element counts and none can cancel another by symmetry. For each input
/// element, or `samples` of them at random when an input has more, the relative error is
///
/// `max(0, |tape − difference| − noise) / max(|tape|, |difference|, RMS of that input's gradient)`
///
/// with `noise` what float32 rounding of the outputs does to the difference quotient: eight times
/// `2⁻²⁴·‖p∘y‖/2h`.
///
///     #expect(checkGradients(of: { $0[0] * $0[1] }, at: [a, b]).failure == nil)
///
/// - Parameters:
///   - function: deterministic; smooth within `step` of the inputs (keep clear of the kinks of
///     `max`). Whatever takes no gradient (indices) is captured, not passed.
///   - inputs: float32 tensors.
///   - step: h in units of each input's root mean square.
///   - samples: the most elements compared per input.
///   - seed: of the projection and of the choice of elements.
/// - Cost: two evaluations of `function` per element compared.
public func checkGradients(
  of function: ([Tensor]) -> Tensor, at inputs: [Tensor], step: Double = 1e-2, samples: Int = 48,
  seed: UInt64 = 1
) -> GradientReport {
  for (i, input) in inputs.enumerated() {
    require(input.dtype == .float32, "gradient check: input \(i) is \(input.dtype), not float32")
  }
  let tracked = inputs.map { $0.detached().tracked() }
  let output = function(tracked.map(\.0))
  let projection = randomTensor(output.shape, seed: seed)
  let gradients = output.gradients(seed: projection.cast(to: output.dtype))

  let weights = projection.scalars.map(Double.init)
  func projected(_ y: Tensor) -> Double {
    zip(weights, y.scalars).reduce(0) { $0 + $1.0 * Double($1.1) }
  }
  let outputScale = norm(zip(weights, output.scalars).map { $0 * Double($1) })

  var generator = SplitMix64(seed: seed &+ 1)
  var worst = -1.0
  var description = "nothing to compare"
  var comparisons = 0
  for (i, input) in inputs.enumerated() {
    let gradient = gradients[tracked[i].1] ?? Tensor(zeros: input.shape)
    if gradient.shape != input.shape || gradient.dtype != .float32 {
      let found = "\(gradient.dtype) \(gradient.shape)"
      return GradientReport(
        worst: .infinity, comparisons: comparisons,
        description: "gradient of input \(i) is \(found), the input float32 \(input.shape)")
    }
    let count = input.shape.count
    let tape = gradient.scalars.map(Double.init)
    let rms = norm(tape) / Double(max(1, count)).squareRoot()
    let values = input.scalars
    let spread = norm(values.map(Double.init)) / Double(max(1, count)).squareRoot()
    let h = step * (spread > 0 ? spread : 1)
    let noise = 8 * 0x1p-24 * outputScale / (2 * h)

    func evaluated(_ element: Int, _ offset: Double) -> (at: Double, value: Double) {
      var moved = values
      moved[element] = Float(Double(values[element]) + offset)
      var arguments = inputs
      arguments[i] = Tensor(moved, shape: input.shape)
      return (Double(moved[element]), projected(function(arguments)))
    }
    let all = Array(0..<count)
    for element in count <= samples ? all : Array(all.shuffled(using: &generator).prefix(samples)) {
      let (above, below) = (evaluated(element, h), evaluated(element, -h))
      // The distance really moved, after rounding to float32.
      let difference = (above.value - below.value) / (above.at - below.at)
      let distance = abs(tape[element] - difference)
      let scale = max(abs(tape[element]), abs(difference), rms)
      let error = distance <= noise ? 0 : (distance - noise) / scale
      comparisons += 1
      if (error.isFinite ? error : .infinity) > worst {
        worst = error.isFinite ? error : .infinity
        description =
          "relative error \(error) in the gradient of input \(i) "
          + "\(position(element, in: input.shape)): tape \(tape[element]), "
          + "central difference \(difference)"
      }
    }
  }
  return GradientReport(worst: max(0, worst), comparisons: comparisons, description: description)
}

private func norm(_ values: [Double]) -> Double {
  values.reduce(0) { $0 + $1 * $1 }.squareRoot()
}
