import ItoModules
import ItoTensors

/// Two linear layers on a sinusoidal embedding of the time.
struct TimeEmbedding: Module {
  var linear1: Linear, linear2: Linear

  init(_ inFeatures: Int, _ features: Int, _ initial: inout ParameterInitializer) {
    linear1 = Linear(inFeatures, features, &initial)
    linear2 = Linear(features, features, &initial)
  }

  /// `[batch, in]` to `[batch, features]`.
  func callAsFunction(_ x: Tensor) -> Tensor { linear2(linear1(x).silu()) }

  mutating func visit<V: ModuleVisitor>(_ v: inout V) throws(V.Failure) {
    try v.child("linear_1", &linear1)
    try v.child("linear_2", &linear2)
  }
}
