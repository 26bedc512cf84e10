import ItoCheckpoints
import ItoComponents
import ItoDiffusion
import ItoModules
import ItoTensors
import ItoTestSupport
import Testing

@testable import ItoTraining

@Suite struct TrainerTests {
  private func batches(dtype: DType = .float32) throws -> ImageBatches {
    try ImageBatches(tinyPictures(), seed: 1, dtype: dtype)
  }

  @Test("Training lowers the held-out loss", arguments: [DType.float32, .bfloat16])
  func learns(type: DType) throws {
    var trainer = tinyTrainer(weightType: type, averageDecay: 0.9, totalSteps: 150)
    let data = try batches()
    func loss() -> Double {
      trainer.measures(on: [(data.batch(at: 10_000, count: 48), 48)]).first?.value ?? .nan
    }
    let before = loss()
    #expect(loss() == before)
    for step in 0..<150 { try trainer.step([data.batch(at: 16 * step, count: 16)]) }
    #expect(loss() < 0.5 * before)
    #expect(trainer.model.backbone.first.dtype == type)
    #expect(trainer.average?.model.backbone.first.dtype == .float32)
  }

  @Test("The same seed gives the same bits; another gives others")
  func seeds() throws {
    let data = try batches()
    func run(_ seed: UInt64) throws -> [String: [UInt32]] {
      var trainer = tinyTrainer(seed: seed)
      for step in 0..<5 { try trainer.step([data.batch(at: 8 * step, count: 8)]) }
      return bits(trainer)
    }
    let first = try run(5)
    #expect(try run(5) == first)
    #expect(try run(6) != first)
  }

  @Test("Two micro-batches give the gradient of both together")
  func accumulation() throws {
    let data = try batches()
    let model = tinyDenoiser()
    let objective = DenoisingObjective<TinyBackbone>()
    var trainer = Trainer(
      model, objective: objective, optimizer: SGD(momentum: 0),
      learningRate: LearningRate(peak: 1, totalSteps: 10),
      options: TrainerOptions(seed: 5, clipNorm: nil, averages: []))
    let parts = [data.batch(at: 0, count: 8), data.batch(at: 8, count: 8)]
    var total = Gradients()
    var loss = 0.0
    for (i, part) in parts.enumerated() {
      var noise = NoiseSource(seed: 5, engine: .philox).stream(0).stream(UInt64(i))
      let (value, gradients) = valueWithGradient(at: model) {
        objective.loss(of: $0, on: part, noise: &noise)
      }
      total.accumulate(gradients)
      loss += Double(value.item) / 2
    }
    let step = try trainer.step(parts)
    #expect(abs(step.loss - loss) < 1e-9)
    for (path, tensor) in model.parameters {
      guard let gradient = total[path] else { continue }
      let expected = tensor - 0.5 * gradient
      let found = trainer.model.parameters.first { $0.path == path }!.tensor
      #expect(mismatch(found, expected.scalars, relative: 1e-5, absolute: 1e-6) == nil)
    }
  }

  @Test("Gradients beyond the limit are scaled down to it")
  func clipping() throws {
    let data = try batches()
    let model = tinyDenoiser()
    func moved(_ clip: Double?) throws -> (distance: Double, norm: Double) {
      var trainer = Trainer(
        model, objective: DenoisingObjective<TinyBackbone>(), optimizer: SGD(momentum: 0),
        learningRate: LearningRate(peak: 1, totalSteps: 10),
        options: TrainerOptions(seed: 5, clipNorm: clip, averages: []))
      let step = try trainer.step([data.batch(at: 0, count: 8)])
      var sum = 0.0
      for (old, new) in zip(model.parameters, trainer.model.parameters)
      where old.tensor.dtype == .float32 {
        for (a, b) in zip(old.tensor.scalars, new.tensor.scalars) {
          sum += Double((a - b) * (a - b))
        }
      }
      return (sum.squareRoot(), step.gradientNorm)
    }
    let free = try moved(nil)
    #expect(abs(free.distance - free.norm) < 1e-4 * free.norm)
    let limit = free.norm / 7
    let clipped = try moved(limit)
    #expect(clipped.norm == free.norm)
    #expect(abs(clipped.distance - limit) < 1e-4 * limit)
    #expect(try moved(2 * free.norm).distance == free.distance)
  }

  @Test("Only what is trainable moves")
  func frozen() throws {
    var trainer = tinyTrainer(isTrainable: { $0.last.hasSuffix("bias") })
    let before = trainer.model.parameters
    try trainer.step([try batches().batch(at: 0, count: 8)])
    for (old, new) in zip(before, trainer.model.parameters) {
      let isSame = old.tensor.scalars == new.tensor.scalars
      #expect(isSame == !old.path.last.hasSuffix("bias"), "\(old.path)")
    }
    #expect(trainer.optimizer.memory.entries.count == 2)
  }

  @Test(
    "After the first step nothing the size of a parameter is allocated",
    arguments: [DType.float32, .bfloat16])
  func allocations(type: DType) throws {
    var trainer = tinyTrainer(weightType: type, hidden: 2048)
    let data = try batches()
    var places: [[UInt]] = []
    var blocks: [Int] = []
    for step in 0..<10 {
      try trainer.step([data.batch(at: 8 * step, count: 8), data.batch(at: 8 * step, count: 8)])
      // `stateTensors` shares buffers, so it must be gone before the next step.
      let tensors =
        trainer.model.parameters.map(\.tensor)
        + (trainer.average?.model.parameters.map(\.tensor) ?? [])
        + trainer.optimizer.memory.tensors.sorted { $0.key < $1.key }.map(\.value)
      places.append(tensors.filter { $0.dtype.isFloatingPoint }.map(\.storageAddress))
      blocks.append(Runtime.memory.systemAllocations)
    }
    #expect(Set(places).count == 1)
    #expect(places[0].count >= 6 + 6 + 12)
  }

  @Test("A step that is not finite changes nothing and says where; ten in a row stop")
  func nonFinite() throws {
    let data = try batches()
    var bad = data.batch(at: 0, count: 8)
    bad.images.update { $0[3] = .nan }
    var trainer = tinyTrainer()
    try trainer.step([data.batch(at: 0, count: 8)])
    let before = bits(trainer)
    for count in 1...9 {
      let step = try trainer.step([data.batch(at: 0, count: 8), bad])
      #expect(step.skipped == .loss)
      #expect(trainer.skipsInARow == count)
      #expect(step.index == count)
    }
    #expect(bits(trainer) == before)
    #expect(throws: TrainingError.diverged(step: 10, inARow: 10, place: .loss)) {
      try trainer.step([bad])
    }
    try trainer.step([data.batch(at: 0, count: 8)])
    #expect(trainer.skipsInARow == 0)
    #expect(bits(trainer) != before)
  }

  @Test("A parameter that is not finite is named before what follows from it")
  func badParameter() throws {
    var model = tinyDenoiser()
    model.backbone.second.update { $0[5] = .infinity }
    var trainer = Trainer(
      model, objective: DenoisingObjective<TinyBackbone>(), optimizer: AdamW(),
      learningRate: LearningRate(peak: 1, totalSteps: 10))
    let step = try trainer.step([try batches().batch(at: 0, count: 8)])
    #expect(step.skipped == .parameter(ModulePath("backbone.second")))
    #expect("\(step.skipped!)" == "the parameter 'backbone.second' is not finite")
  }

  @Test("A gradient that is not finite is named by its path")
  func badGradient() {
    let model = tinyDenoiser()
    var gradients = Gradients()
    gradients.byPath[ModulePath("backbone.first")] = Tensor(zeros: [16, 16])
    gradients.byPath[ModulePath("backbone.labels")] = Tensor([.nan], shape: [1])
    gradients.byPath[ModulePath("backbone.second")] = Tensor([.infinity], shape: [1])
    let place = NonFinite.find(in: model, loss: 1, gradients: gradients)
    #expect(place == .gradient(ModulePath("backbone.labels")))
    #expect(NonFinite.find(in: model, loss: 1, gradients: Gradients()) == nil)
  }

  @Test(
    "A trainer restored from its state goes on bit for bit",
    arguments: [DType.float32, .bfloat16], Registry<any Optimizer>.builtin.names)
  func restoring(type: DType, name: String) throws {
    let optimizer = try Registry<any Optimizer>.builtin.make(name)
    let data = try batches()
    func step(_ trainer: inout Trainer<DenoisingObjective<TinyBackbone>>) throws {
      try trainer.step([data.batch(at: 8 * trainer.stepIndex, count: 8)])
    }
    var trainer = tinyTrainer(weightType: type, optimizer: optimizer)
    for _ in 0..<4 { try step(&trainer) }
    var other = tinyTrainer(weightType: type, optimizer: optimizer)
    try other.restore(.object(trainer.state), from: MemorySource(trainer.stateTensors))
    #expect(bits(other) == bits(trainer))
    for _ in 0..<4 {
      try step(&trainer)
      try step(&other)
    }
    #expect(bits(other) == bits(trainer))
    #expect(other.state == trainer.state)
  }

  @Test("A state of another set-up is refused, and changes nothing")
  func refusing() throws {
    var trainer = tinyTrainer()
    try trainer.step([try batches().batch(at: 0, count: 8)])
    let (state, tensors) = (trainer.state, trainer.stateTensors)
    func refused(
      _ other: Trainer<DenoisingObjective<TinyBackbone>>,
      _ change: (inout [String: Tensor]) -> Void = { _ in }
    ) {
      var (other, changed) = (other, tensors)
      change(&changed)
      let before = bits(other)
      #expect(throws: TrainingError.self) {
        try other.restore(.object(state), from: MemorySource(changed))
      }
      #expect(bits(other) == before)
      #expect(other.stepIndex == 0)
    }
    refused(tinyTrainer(seed: 6))
    refused(tinyTrainer(weightType: .bfloat16))
    refused(tinyTrainer(averageDecay: nil))
    refused(tinyTrainer(hidden: 17))
    refused(tinyTrainer()) { $0["model.backbone.first"] = nil }
    refused(tinyTrainer()) { $0["optimizer.first.nothing"] = Tensor(zeros: [1]) }
    refused(tinyTrainer()) { $0["stray"] = Tensor(zeros: [1]) }
  }
}
