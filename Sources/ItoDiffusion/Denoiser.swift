public import ItoModules
public import ItoTensors

/// A network as it was trained: what it outputs is a `Parameterization`'s business.
public protocol Backbone: Module {
  /// The raw output for a scaled sample.
  ///
  /// - Parameters:
  ///   - x: `[batch, …]`, images `[batch, height, width, channels]`; its element type is the one to
  ///     compute in.
  ///   - time: `[batch]` float32, what the parameterization tells the network about the level.
  ///   - conditioning: what was asked for, batched like `x`.
  ///   - context: the seams through which caches and attention kernels reach the network.
  /// - Returns: the shape of `x`.
  func callAsFunction(
    _ x: Tensor, time: Tensor, conditioning: Conditioning, context: EvaluationContext
  ) -> Tensor
}

/// A function from a noisy sample to the mean of the clean samples it may have come from.
///
/// Solvers, guidance and caches see nothing else of a model.
public protocol Denoiser: Sendable {
  /// The process it was trained for.
  var schedule: any NoiseSchedule { get }

  /// The clean estimate E[x₀ | x], of the shape of `x`, float32.
  ///
  /// - Parameters:
  ///   - x: `[batch, …]`, a sample at `level`.
  ///   - conditioning: what was asked for, batched like `x`.
  func denoise(
    _ x: Tensor, at level: NoiseLevel, given conditioning: Conditioning, context: EvaluationContext
  ) throws(SamplingError) -> Tensor

  /// As above with a level for each sample of the batch, for methods that are parallel in time.
  ///
  /// Nil when the model takes one level at a time, which is what it does unless it says otherwise.
  func denoise(
    _ x: Tensor, atEach levels: [NoiseLevel], given conditioning: Conditioning,
    context: EvaluationContext
  ) throws(SamplingError) -> Tensor?
}

extension Denoiser {
  /// Nil: one level at a time.
  public func denoise(
    _ x: Tensor, atEach levels: [NoiseLevel], given conditioning: Conditioning,
    context: EvaluationContext
  ) throws(SamplingError) -> Tensor? { nil }
}
