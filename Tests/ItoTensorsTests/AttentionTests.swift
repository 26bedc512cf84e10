import ItoTensors
import ItoTestSupport
import Testing

@Suite("Attention")
struct AttentionTests {
  /// Relative RMS bounds of the documentation, forward and backward.
  private func bounds(_ dtype: DType) -> (result: Double, gradient: Double) {
    switch dtype {
    case .float32: (2e-6, 6e-6)
    case .bfloat16: (4e-3, 2e-2)
    default: (1e-3, 2e-3)
    }
  }

  /// What differs between the kernels and the loop.
  private func difference(_ c: AttentionCase, _ dtype: DType) -> [String] {
    let inputs = c.inputs(dtype)
    let tracked = inputs.map { $0.tracked() }
    let y = c.run(tracked.map(\.0))
    let g = randomTensor(y.shape, seed: 5, dtype: dtype)
    let expected = NaiveAttention(c, inputs, gradient: g)
    var failures: [String] = []
    func compare(_ what: String, _ found: Tensor?, _ values: [Float], _ bound: Double) {
      guard let found, found.shape.count == values.count else {
        return failures.append("\(what) is missing")
      }
      let error = relativeRMSError(
        found.cast(to: .float32), Tensor(values, shape: found.shape))
      if !(error <= bound) { failures.append("\(what) is off by \(error)") }
    }
    compare("result", y, expected.result, bounds(dtype).result)
    if y.dtype != dtype || y.shape != c.queryShape { failures.append("\(y.dtype) \(y.shape)") }
    let gradients = y.gradients(seed: g)
    // With one key the score gradient is a difference of equal numbers: zero but for rounding.
    for (i, name) in ["query", "key", "value", "bias"].prefix(inputs.count).enumerated() {
      let found = gradients[tracked[i].1]
      if c.keys == 1 && i != 2 {
        let largest = found?.scalars.map { abs($0) }.max() ?? .infinity
        if largest > (dtype == .float32 ? 1e-5 : 0.1) { failures.append("\(name) is \(largest)") }
        continue
      }
      compare("gradient of \(name)", found, expected.gradients[i], bounds(dtype).gradient)
      if found?.dtype != inputs[i].dtype { failures.append("gradient of another type") }
    }
    return failures
  }

  @Test("like a loop, forward and backward", arguments: AttentionCase.all)
  func values(_ c: AttentionCase) {
    atEveryInstructionSet { level in
      for dtype in [DType.float32, .bfloat16] {
        #expect(difference(c, dtype) == [], "\(dtype) at \(level)")
      }
    }
  }

  @Test("float16 in and out")
  func half() {
    #expect(difference(AttentionCase(bias: .perHead), .float16) == [])
  }

  @Test(
    "gradients against central differences",
    arguments: AttentionCase.all.filter { $0.queries < 100 && $0.dimension < 40 && $0.keys > 1 })
  func gradients(_ c: AttentionCase) {
    let report = checkGradients(of: { c.run($0) }, at: c.inputs(), samples: 16)
    #expect(report.failure == nil)
  }

  @Test("large scores keep their maximum", arguments: [DType.float32, .bfloat16])
  func rescaling(_ dtype: DType) {
    // Scores climb by hundreds along the keys, so every tile exceeds what was summed before it.
    let keys = 300, n = 16
    let k = naive([1, keys, 1, n], dtype: dtype) { Float($0[1]) * ($0[3] == 0 ? 1 : 0.01) }
    let q = naive([1, 20, 1, n], dtype: dtype) { $0[1] % 2 == 0 ? 20 : -20 }
    let v = randomTensor([1, keys, 1, n], seed: 1, dtype: dtype)
    atEveryInstructionSet { _ in
      let y = attention(query: q, key: k, value: v, scale: 1).scalars
      let values = v.scalars
      // bfloat16 keys repeat above 256: equal scores, so the mean of the last equal ones.
      let lastKey = k.scalars[(keys - 1) * n]
      let equal = (0..<keys).filter { k.scalars[$0 * n] == lastKey }
      for e in 0..<n {
        let last = equal.reduce(0) { $0 + values[$1 * n + e] } / Float(equal.count)
        #expect(abs(y[e] - last) <= 0.01 + 0.01 * abs(last))
        #expect(abs(y[n + e] - values[e]) <= 0.01 + 0.01 * abs(values[e]))
      }
    }
  }

  @Test("a query that sees nothing gives zeros and takes no gradient")
  func nothingSeen() {
    let c = AttentionCase(queries: 5, keys: 9, mask: .everything)
    for dtype in [DType.float32, .bfloat16] {
      let tracked = c.inputs(dtype).map { $0.tracked() }
      let y = c.run(tracked.map(\.0))
      let half = y.scalars.count / 2
      #expect(y.scalars.prefix(half).allSatisfy { $0 == 0 })
      #expect(y.scalars.suffix(half).contains { $0 != 0 })
      let gradients = y.gradients()
      for (_, leaf) in tracked {
        let values = gradients[leaf]?.scalars ?? [.nan]
        #expect(values.prefix(values.count / 2).allSatisfy { $0 == 0 })
        #expect(values.allSatisfy { $0.isFinite })
      }
    }
  }

  @Test("hidden keys do not matter, whatever they hold")
  func hiddenKeys() {
    var c = AttentionCase(batch: 1, queries: 20, keys: 40)
    let inputs = c.inputs()
    c.mask = .holes
    let seen = c.maskTensor!.integers
    let row = c.keyHeads * c.dimension
    let other = Tensor(
      inputs[1].scalars.enumerated().map { seen[$0.offset / row] == 0 ? 1e4 : $0.element },
      shape: inputs[1].shape)
    atEveryInstructionSet { _ in
      #expect(c.run(inputs).scalars == c.run([inputs[0], other, inputs[2]]).scalars)
    }
  }

  @Test("NaN is not swallowed", arguments: [DType.float32, .bfloat16])
  func notANumber(_ dtype: DType) {
    let c = AttentionCase(batch: 1)
    for i in 0..<3 {
      var inputs = c.inputs(dtype)
      var values = inputs[i].scalars
      values[0] = .nan
      inputs[i] = Tensor(values, shape: inputs[i].shape).cast(to: dtype)
      atEveryInstructionSet { _ in
        #expect(c.run(inputs).scalars.contains { $0.isNaN })
      }
    }
  }

  @Test("the same bits whatever the number of threads, and again")
  func threads() {
    let c = AttentionCase(batch: 3, queries: 150, keys: 150, dimension: 32)
    let before = Runtime.threads
    defer { Runtime.threads = before }
    atEveryInstructionSet { _ in
      var results: [[Float]] = []
      for count in [1, 2, 2, 5] {
        Runtime.threads = count
        results.append(c.run(c.inputs()).scalars)
      }
      #expect(results.allSatisfy { $0 == results[0] })
    }
  }

  @Test("memory does not grow with the square of the tokens")
  func memory() {
    // Scores of one head would take 1.2 GB; what other tests hold at the same time is far less.
    let (q, query) = randomTensor([1, 17000, 1, 4], seed: 1).tracked()
    Runtime.resetPeak()
    let y = attention(query: q, key: q, value: q)
    let gradient = y.gradients()[query]
    #expect(gradient?.shape == q.shape)
    #expect(Runtime.memory.peak < 600_000_000)
  }

  @Test("empty batches and sequences")
  func empty() {
    let q = Tensor(zeros: [2, 3, 1, 4]), none = Tensor(zeros: [2, 0, 1, 4])
    #expect(attention(query: q, key: none, value: none).scalars == q.scalars)
    #expect(attention(query: none, key: q, value: q).shape == none.shape)
  }
}
