import ItoDiffusion
import ItoModules
import ItoTensors

/// Two linear layers on a sinusoidal embedding of the time.
struct TimeEmbedding: Module {
  var linear1: Linear, linear2: Linear
  /// Takes in what a distilled network is told beside the time.
  var conditionProjection: Linear?

  /// - Parameter conditionFeatures: width of what is added to the input; nil for nothing.
  init(
    _ inFeatures: Int, _ features: Int, conditionFeatures: Int? = nil,
    _ initial: inout ParameterInitializer
  ) {
    linear1 = Linear(inFeatures, features, &initial)
    linear2 = Linear(features, features, &initial)
    conditionProjection = conditionFeatures.map { Linear($0, inFeatures, bias: false, &initial) }
  }

  /// `[rows, in]` to `[rows, features]`, each row by itself; `condition`, `[rows, conditionFeatures]`, is projected
  /// and added to `x`.
  func callAsFunction(
    _ x: Tensor, condition: Tensor? = nil, in context: EvaluationContext
  ) -> Tensor {
    let input =
      condition.flatMap { conditionProjection?(steering: $0, adding: x, in: context) } ?? x
    return linear2(
      steering: linear1(steering: input, activation: .silu, in: context), in: context)
  }

  mutating func visit<V: ModuleVisitor>(_ v: inout V) throws(V.Failure) {
    try v.child("linear_1", &linear1)
    try v.child("linear_2", &linear2)
    try v.child("cond_proj", &conditionProjection)
  }
}
