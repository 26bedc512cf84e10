import ItoCheckpoints
import ItoComponents
import ItoModules
import ItoTensors
import ItoTestSupport
import Testing

@testable import ItoTraining

#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

/// A matrix, a vector, a frozen matrix and an integer.
private struct Parts: Module {
  var matrix: Tensor
  var vector: Tensor
  var frozen: Tensor
  var count = Tensor([Int32(1)], shape: [1])

  init(rows: Int = 37, columns: Int = 53, seed: UInt64 = 1) {
    matrix = randomTensor([rows, columns], seed: seed)
    vector = randomTensor([columns], seed: seed + 1)
    frozen = randomTensor([3, 4], seed: seed + 2)
  }

  mutating func visit<V: ModuleVisitor>(_ v: inout V) throws(V.Failure) {
    try v.parameter("matrix", &matrix)
    try v.parameter("vector", &vector)
    try v.parameter("frozen", &frozen)
    try v.parameter("count", &count)
  }

  func gradients(_ step: Int, dtype: DType = .float32) -> Gradients {
    var result = Gradients()
    let seed = UInt64(100 + 10 * step)
    result.byPath[ModulePath("matrix")] = randomTensor(matrix.shape, seed: seed, dtype: dtype)
    result.byPath[ModulePath("vector")] = randomTensor(vector.shape, seed: seed + 1)
    return result
  }
}

/// One parameter under plain loops in double precision.
private struct Reference {
  var w: [Double]
  var m: [Double]
  var v: [Double]
  var t = 0

  init(_ tensor: Tensor) {
    w = tensor.scalars.map(Double.init)
    m = w.map { _ in 0 }
    v = m
  }

  mutating func adamW(_ g: [Float], rate: Double, decay: Double, scale: Double) {
    t += 1
    let (b1, b2, epsilon) = (0.9, 0.99, 1e-6)
    for i in w.indices {
      let own = Double(g[i]) * scale
      m[i] = b1 * m[i] + (1 - b1) * own
      v[i] = b2 * v[i] + (1 - b2) * own * own
      let first = m[i] / (1 - pow(b1, Double(t)))
      let second = v[i] / (1 - pow(b2, Double(t)))
      w[i] -= rate * decay * w[i]
      w[i] -= rate * first / (second.squareRoot() + epsilon)
    }
  }

  mutating func sgd(
    _ g: [Float], rate: Double, momentum: Double, decay: Double, scale: Double, nesterov: Bool
  ) {
    t += 1
    for i in w.indices {
      let own = Double(g[i]) * scale + decay * w[i]
      m[i] = t == 1 ? own : momentum * m[i] + own
      w[i] -= rate * (nesterov ? own + momentum * m[i] : m[i])
    }
  }
}

@Suite struct OptimizerTests {
  private let matrix = ModulePath("matrix")
  private let vector = ModulePath("vector")

  private func expectClose(_ tensor: Tensor, _ values: [Double], relative: Float = 2e-6) {
    #expect(mismatch(tensor, values.map(Float.init), relative: relative, absolute: relative) == nil)
  }

  @Test(
    "AdamW is the paper's algorithm; vectors have no decay", arguments: [DType.float32, .bfloat16])
  func adamW(gradientType: DType) {
    var model = Parts()
    var expected = (Reference(model.matrix), Reference(model.vector))
    var optimizer = AdamW(beta1: 0.9, beta2: 0.99, epsilon: 1e-6, weightDecay: 0.1)
    for step in 0..<5 {
      let gradients = model.gradients(step, dtype: gradientType)
      let rate = 0.01 / Double(step + 1)
      optimizer.update(&model, with: gradients, learningRate: rate, gradientScale: 0.5)
      expected.0.adamW(gradients[matrix]!.scalars, rate: rate, decay: 0.1, scale: 0.5)
      expected.1.adamW(gradients[vector]!.scalars, rate: rate, decay: 0, scale: 0.5)
    }
    expectClose(model.matrix, expected.0.w)
    expectClose(model.vector, expected.1.w)
    #expect(model.frozen.scalars == Parts().frozen.scalars)
    #expect(optimizer.memory.entries.count == 2)
    #expect(optimizer.memory.stepCount == 5)
  }

  @Test(
    "SGD with and without momentum, decay and look-ahead",
    arguments: [(0.0, 0.0, false), (0.9, 0.0, false), (0.8, 0.1, false), (0.8, 0.1, true)])
  func sgd(momentum: Double, decay: Double, nesterov: Bool) {
    var model = Parts()
    var expected = (Reference(model.matrix), Reference(model.vector))
    var optimizer = SGD(momentum: momentum, weightDecay: decay, isNesterov: nesterov)
    for step in 0..<5 {
      let gradients = model.gradients(step)
      optimizer.update(&model, with: gradients, learningRate: 0.05, gradientScale: 0.5)
      expected.0.sgd(
        gradients[matrix]!.scalars, rate: 0.05, momentum: momentum, decay: decay, scale: 0.5,
        nesterov: nesterov)
      expected.1.sgd(
        gradients[vector]!.scalars, rate: 0.05, momentum: momentum, decay: 0, scale: 0.5,
        nesterov: nesterov)
    }
    expectClose(model.matrix, expected.0.w)
    expectClose(model.vector, expected.1.w)
    #expect((optimizer.memory.entries[matrix]?.first != nil) == (momentum > 0))
  }

  @Test(
    "Masters follow the float32 run exactly; the model is their rounding",
    arguments: Registry<any Optimizer>.builtin.names, [DType.bfloat16, .float16])
  func masters(name: String, type: DType) throws {
    var exact = Parts()
    var rounded = exact.converted(to: type)
    var a = try Registry<any Optimizer>.builtin.make(name)
    var b = try Registry<any Optimizer>.builtin.make(name)
    b.memory.adoptMasters(from: exact, for: rounded)
    for step in 0..<4 {
      let gradients = exact.gradients(step)
      a.update(&exact, with: gradients, learningRate: 0.01, gradientScale: 1)
      b.update(&rounded, with: gradients, learningRate: 0.01, gradientScale: 1)
    }
    let master = try #require(b.memory.entries[matrix]?.master)
    #expect(master.scalars == exact.matrix.scalars)
    #expect(rounded.matrix.dtype == type)
    #expect(rounded.matrix.scalars == exact.matrix.cast(to: type).scalars)
    #expect(rounded.vector.dtype == .float32)
    #expect(rounded.vector.scalars == exact.vector.scalars)
  }

  @Test(
    "After the first step everything is updated where it is", arguments: [DType.float32, .bfloat16])
  func inPlace(type: DType) {
    let original = Parts()
    var model = original.converted(to: type)
    var optimizer = AdamW()
    optimizer.memory.adoptMasters(from: original, for: model)
    var places: [Set<UInt>] = []
    for step in 0..<10 {
      optimizer.update(&model, with: original.gradients(step), learningRate: 0.01, gradientScale: 1)
      places.append(
        Set(
          [model.matrix, model.vector].map(\.storageAddress)
            + optimizer.memory.tensors.values.map(\.storageAddress)))
    }
    #expect(places.allSatisfy { $0 == places[0] })
    #expect(original.matrix.scalars == Parts().matrix.scalars)
  }

  @Test("What is remembered survives saving and loading; what does not fit is refused")
  func saving() throws {
    let original = Parts()
    var model = original.converted(to: .bfloat16)
    var optimizer = AdamW()
    optimizer.memory.adoptMasters(from: original, for: model)
    optimizer.update(&model, with: original.gradients(0), learningRate: 0.01, gradientScale: 1)
    let stored = Dictionary(
      uniqueKeysWithValues: optimizer.memory.tensors.map { ("o." + $0, $1) })
    #expect(
      Set(stored.keys) == [
        "o.first.matrix", "o.second.matrix", "o.master.matrix", "o.first.vector", "o.second.vector",
        "o.master.frozen",
      ])
    let source = MemorySource(stored)
    let memory = try OptimizerMemory(from: source, prefix: "o.", stepCount: 1, for: model)
    #expect(memory.tensors.mapValues(\.scalars) == optimizer.memory.tensors.mapValues(\.scalars))

    func refused(_ change: (inout [String: Tensor]) -> Void) {
      var changed = stored
      change(&changed)
      #expect(throws: TrainingError.self) {
        try OptimizerMemory(from: MemorySource(changed), prefix: "o.", stepCount: 1, for: model)
      }
    }
    refused { $0["o.first.other"] = Tensor(zeros: [2]) }
    refused { $0["o.third.matrix"] = Tensor(zeros: [2]) }
    refused { $0["o.first.matrix"] = Tensor(zeros: [2]) }
    refused { $0["o.first.matrix"] = $0["o.first.matrix"]?.cast(to: .bfloat16) }
    refused { $0["o.master.matrix"] = nil }
  }
}
