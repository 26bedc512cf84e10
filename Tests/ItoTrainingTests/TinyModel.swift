import ItoDiffusion
import ItoModules
import ItoTensors
import ItoTestSupport

@testable import ItoTraining

/// A class-conditional network of one hidden layer over flattened pictures.
struct TinyBackbone: Backbone {
  var first: Tensor
  var firstBias: Tensor
  var time: Tensor
  var labels: Tensor
  var second: Tensor
  var secondBias: Tensor
  /// Not visited as a parameter that training changes: integers.
  var version = Tensor([Int32(3)], shape: [1])

  init(pixels: Int, hidden: Int, classes: Int, seed: UInt64) {
    first = randomTensor([hidden, pixels], seed: seed, scale: 0.2)
    firstBias = randomTensor([hidden], seed: seed + 1, scale: 0.1)
    time = randomTensor([hidden, 1], seed: seed + 2)
    labels = randomTensor([classes + 1, hidden], seed: seed + 3, scale: 0.5)
    second = randomTensor([pixels, hidden], seed: seed + 4, scale: 0.2)
    secondBias = randomTensor([pixels], seed: seed + 5, scale: 0.1)
  }

  func callAsFunction(
    _ x: Tensor, time value: Tensor, conditioning: Conditioning, context: EvaluationContext
  ) -> Tensor {
    let batch = x.shape[0]
    var hidden = x.reshaped(to: [batch, -1]).linear(first, bias: firstBias)
    let scaled = (0.001 * value).reshaped(to: [batch, 1]).cast(to: x.dtype)
    hidden = hidden + scaled.linear(time, bias: nil)
    if let label = conditioning.label {
      hidden = hidden + labels.embedding(label).cast(to: x.dtype)
    }
    return hidden.silu().linear(second, bias: secondBias).reshaped(to: x.shape)
  }

  mutating func visit<V: ModuleVisitor>(_ v: inout V) throws(V.Failure) {
    try v.parameter("first", &first)
    try v.parameter("first_bias", &firstBias)
    try v.parameter("time", &time)
    try v.parameter("labels", &labels)
    try v.parameter("second", &second)
    try v.parameter("second_bias", &secondBias)
    try v.parameter("version", &version)
  }
}

typealias TinyDenoiser = PreconditionedDenoiser<TinyBackbone>

func tinyDenoiser(
  side: Int = 4, hidden: Int = 16, classes: Int = 3, seed: UInt64 = 1,
  computeType: DType = .float32
) -> TinyDenoiser {
  PreconditionedDenoiser(
    TinyBackbone(pixels: side * side, hidden: hidden, classes: classes, seed: seed),
    schedule: RectifiedFlow(), parameterization: FlowPrediction(), computeType: computeType)
}

/// `count` pictures of `classes` classes, each a bright row at the height of its class.
func tinyPictures(count: Int = 50, side: Int = 4, classes: Int = 3) throws -> ImageSet {
  var generator = SplitMix64(seed: 99)
  var bytes: [UInt8] = []
  var labels: [Int32] = []
  for i in 0..<count {
    labels.append(Int32(i % classes))
    for y in 0..<side {
      for _ in 0..<side {
        bytes.append(
          UInt8((y == i % classes ? 200 : 20) + Int.random(in: 0..<40, using: &generator)))
      }
    }
  }
  return try ImageSet(pixels: Tensor(bytes, shape: [count, side, side, 1]), labels: labels)
}

func tinyTrainer(
  weightType: DType = .float32, optimizer: any Optimizer = AdamW(), seed: UInt64 = 5,
  averageDecay: Double? = 0.99, totalSteps: Int = 1000, peak: Double = 1e-2, hidden: Int = 16,
  isTrainable: @escaping @Sendable (ModulePath) -> Bool = { _ in true }
) -> Trainer<DenoisingObjective<TinyBackbone>> {
  Trainer(
    tinyDenoiser(hidden: hidden, computeType: weightType),
    objective: DenoisingObjective(times: LogitNormalTimes(), dropout: 0.1, nullLabel: 3),
    optimizer: optimizer,
    learningRate: LearningRate(
      peak: peak, warmupSteps: 3, totalSteps: totalSteps, decay: CosineRate(final: 0.1)),
    options: TrainerOptions(
      seed: seed, weightType: weightType,
      averages: averageDecay.map { [ExponentialProfile(decay: $0)] } ?? [],
      isTrainable: isTrainable))
}

/// Every bit of a trainer's state.
func bits<O>(_ trainer: Trainer<O>) -> [String: [UInt32]] {
  trainer.stateTensors.mapValues { tensor in
    tensor.dtype.isFloatingPoint
      ? tensor.scalars.map(\.bitPattern) : tensor.integers.map { UInt32($0) }
  }
}
