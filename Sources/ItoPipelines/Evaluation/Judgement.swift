public import ItoTensors

/// How generated pictures compare with real ones in a judge's eyes.
public struct Judgement: Sendable {
  /// Pictures judged.
  public let count: Int
  /// Share that is the class asked for, and the half-width of its 95 % interval (normal
  /// approximation); nil when no classes were asked for.
  public let accuracy: (share: Double, margin: Double)?
  /// Fréchet distance of the pictures from the real training set.
  public let frechet: Double
  /// The same for the real test set: the floor.
  public let frechetFloor: Double
  /// The same for as many real test pictures as were judged: the floor with the bias of few samples.
  public let frechetFloorAtCount: Double
  /// Kernel distance of the pictures, and of as many real test pictures.
  public let kernel: KernelDistance, kernelFloor: KernelDistance

  /// What the Fréchet distance should stay under: three floors, and what few samples add.
  public var frechetLimit: Double { 3 * frechetFloor + max(0, frechetFloorAtCount - frechetFloor) }

  /// Judges `features` of generated pictures.
  ///
  /// - Parameters:
  ///   - features: `[pictures, features]`, at least two pictures.
  ///   - classes: what the judge took each picture for.
  ///   - wanted: what each was meant to be; empty when nothing was asked for.
  ///   - training: features of the real training set.
  ///   - test: features of the real test set.
  public init(
    features: Tensor, classes: [Int], wanted: [Int], training: Tensor, test: Tensor
  ) {
    count = features.shape[0]
    if wanted.isEmpty {
      accuracy = nil
    } else {
      let share = Double(zip(classes, wanted).count { $0 == $1 }) / Double(wanted.count)
      let margin = 1.96 * (share * (1 - share) / Double(wanted.count)).squareRoot()
      accuracy = (share, margin)
    }
    let reference = FeatureStatistics(training)
    frechet = FeatureStatistics(features).frechetDistance(to: reference)
    frechetFloor = FeatureStatistics(test).frechetDistance(to: reference)
    var noise = NoiseSource(seed: 0, engine: .philox)
    let chosen = noise.permutation(test.shape[0]).prefix(count).map { Int32($0) }
    let few = test.embedding(Tensor(chosen, shape: [chosen.count]))
    frechetFloorAtCount = FeatureStatistics(few).frechetDistance(to: reference)
    kernel = KernelDistance(between: features, and: training)
    kernelFloor = KernelDistance(between: few, and: training)
  }
}
