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

/// Matrices of every kind that is told apart, by the name of the parameter.
private struct Layers: Module {
  var tensors: [(name: String, tensor: Tensor)]

  init(_ shapes: [(String, Shape)]) {
    tensors = shapes.enumerated().map {
      ($0.element.0, randomTensor($0.element.1, seed: UInt64($0.offset + 1)))
    }
  }

  mutating func visit<V: ModuleVisitor>(_ v: inout V) throws(V.Failure) {
    for i in tensors.indices { try v.parameter(tensors[i].name, &tensors[i].tensor) }
  }

  func gradients(_ step: Int) -> Gradients {
    var result = Gradients()
    for (i, item) in tensors.enumerated() {
      result.byPath[ModulePath(item.name)] = randomTensor(
        item.tensor.shape, seed: UInt64(100 * (step + 1) + i))
    }
    return result
  }
}

/// `a·b` of row-major matrices, in double precision.
private func product(_ a: [[Double]], _ b: [[Double]]) -> [[Double]] {
  a.map { row in
    b[0].indices.map { j in row.indices.reduce(0) { $0 + row[$1] * b[$1][j] } }
  }
}

private func transposed(_ a: [[Double]]) -> [[Double]] {
  a[0].indices.map { j in a.map { $0[j] } }
}

/// Newton and Schulz by plain loops.
private func orthogonal(_ a: [[Double]], steps: Int) -> [[Double]] {
  let norm = a.joined().reduce(0) { $0 + $1 * $1 }.squareRoot()
  var x = a.map { $0.map { $0 / norm } }
  for _ in 0..<steps {
    let gram = product(x, transposed(x))
    let cubic = product(gram, x)
    let quintic = product(gram, cubic)
    for i in x.indices {
      for j in x[i].indices {
        x[i][j] = 3.4445 * x[i][j] - 4.7750 * cubic[i][j] + 2.0315 * quintic[i][j]
      }
    }
  }
  return x
}

private func rows(_ values: [Float], columns: Int) -> [[Double]] {
  stride(from: 0, to: values.count, by: columns).map {
    values[$0..<($0 + columns)].map(Double.init)
  }
}

@Suite struct MuonTests {
  @Test(
    "The product of a result with its transpose is near the identity",
    arguments: [
      Shape([3, 12, 40]), Shape([2, 40, 12]), Shape([1, 17, 17]),
    ])
  func orthogonality(shape: Shape) {
    let result = randomTensor(shape, seed: 4).orthogonalized(steps: 5)
    #expect(result.shape == shape)
    for k in 0..<shape[0] {
      var matrix = rows(result.indexed(k, axis: 0).scalars, columns: shape[2])
      if shape[1] > shape[2] { matrix = transposed(matrix) }
      let gram = product(matrix, transposed(matrix))
      // Eigenvalues of the Gram matrix are squares of 0.68…1.14; Gershgorin is too coarse for a bound,
      // the trace and the Frobenius norm are not.
      let side = Double(gram.count)
      let trace = gram.indices.reduce(0) { $0 + gram[$1][$1] }
      let squares = gram.joined().reduce(0) { $0 + $1 * $1 }
      #expect(trace / side > 0.45 && trace / side < 1.3)
      // The variance of the eigenvalues, which is 0 for an orthogonal matrix.
      #expect(squares / side - (trace / side) * (trace / side) < 0.15)
    }
  }

  @Test("Equal to plain loops, whatever is stacked with it")
  func loops() {
    let stack = Tensor.stacked([
      randomTensor([9, 21], seed: 1), Tensor(zeros: [9, 21]),
      1e-6 * randomTensor([9, 21], seed: 2),
    ])
    let result = stack.orthogonalized(steps: 5)
    for k in [0, 2] {
      let expected = orthogonal(
        rows(stack.indexed(k, axis: 0).scalars, columns: 21), steps: 5)
      #expect(
        mismatch(
          result.indexed(k, axis: 0), expected.joined().map(Float.init), relative: 1e-4,
          absolute: 1e-5) == nil)
    }
    #expect(result.indexed(1, axis: 0).scalars.allSatisfy { $0 == 0 })
  }

  @Test(
    "Close to plain loops in double precision for every spectrum, shape and number of steps",
    arguments: [Shape([24, 60]), Shape([60, 24]), Shape([24, 24])], [1, 4, 5, 6, 12])
  func spectra(shape: Shape, steps: Int) {
    let (m, n) = (shape[0], shape[1])
    let side = min(m, n)
    // Singular values of the sum of outer products are near these factors.
    let spectra: [(Int) -> Double] = [
      { _ in 1 }, { pow(10, -4 * Double($0) / Double(side - 1)) },
      { pow(10, -7 * Double($0) / Double(side - 1)) }, { $0 < 3 ? 1 : 0 }, { $0 == 0 ? 1 : 1e-3 },
    ]
    // What rounding leaves where nothing should be, 1e-7, grows by 3.4445 a step: after twelve it is as large
    // as the result, in float32 by any method.
    let hasNothing = [2, 3]
    for (number, spectrum) in spectra.enumerated() where steps <= 6 || !hasNothing.contains(number)
    {
      let left = rows(randomTensor([side, m], seed: 11).scalars, columns: m)
      let right = rows(randomTensor([side, n], seed: 12).scalars, columns: n)
      var values = [Float](repeating: 0, count: m * n)
      for i in 0..<m {
        for j in 0..<n {
          values[i * n + j] = Float(
            (0..<side).reduce(0.0) { $0 + spectrum($1) * left[$1][i] * right[$1][j] })
        }
      }
      let result = Tensor(values, shape: [1, m, n]).orthogonalized(steps: steps).scalars
      let expected = orthogonal(rows(values, columns: n), steps: steps).joined().map { $0 }
      let error = zip(result, expected).reduce(0) { $0 + pow(Double($1.0) - $1.1, 2) }
      let size = expected.reduce(0) { $0 + $1 * $1 }
      #expect((error / size).squareRoot() < 1e-3, "spectrum \(number)")
    }
  }

  @Test("A step is momentum, look-ahead, orthogonal direction, decay")
  func formula() {
    var model = Layers([("inner", [10, 3, 3, 8])])
    var weights = rows(model.tensors[0].tensor.scalars, columns: 72)
    var momentum = weights.map { $0.map { _ in 0.0 } }
    var muon = Muon(momentum: 0.9, weightDecay: 0.1)
    for step in 0..<3 {
      let gradients = model.gradients(step)
      let rate = 0.01 * Double(step + 1)
      muon.update(&model, with: gradients, learningRate: rate, gradientScale: 0.5)
      let g = rows(gradients[ModulePath("inner")]!.scalars, columns: 72)
      var ahead = g
      for i in g.indices {
        for j in g[i].indices {
          momentum[i][j] = 0.9 * momentum[i][j] + 0.5 * g[i][j]
          ahead[i][j] = 0.5 * g[i][j] + 0.9 * momentum[i][j]
        }
      }
      let direction = orthogonal(ahead, steps: 5)
      let factor = 0.2 * 72.0.squareRoot()
      for i in g.indices {
        for j in g[i].indices {
          weights[i][j] -= rate * (0.1 * weights[i][j] + factor * direction[i][j])
        }
      }
    }
    #expect(
      mismatch(
        model.tensors[0].tensor, weights.joined().map(Float.init), relative: 1e-4, absolute: 1e-5)
        == nil)
  }

  @Test("Vectors, narrow matrices, embeddings and outer layers get AdamW's step, bit for bit")
  func rest() {
    let shapes: [(String, Shape)] = [
      ("backbone.conv_in.weight", [16, 3, 3, 8]), ("time_embedding.linear_1.weight", [16, 16]),
      ("norm", [64]), ("narrow", [4, 64]), ("backbone.proj_out.weight", [12, 16]),
    ]
    var (model, other) = (Layers(shapes), Layers(shapes))
    var muon = Muon(weightDecay: 0.1, restRate: 2)
    var adam = AdamW(beta1: 0.9, beta2: 0.95, weightDecay: 0.1)
    for step in 0..<3 {
      let gradients = model.gradients(step)
      muon.update(&model, with: gradients, learningRate: 0.01, gradientScale: 1)
      adam.update(&other, with: gradients, learningRate: 0.02, gradientScale: 1)
    }
    for (a, b) in zip(model.tensors, other.tensors) {
      #expect(a.tensor.scalars == b.tensor.scalars, "\(a.name)")
    }
    #expect(muon.isOrthogonal(ModulePath("backbone.blocks.0.proj_out.weight"), shape: [16, 16]))
    #expect(!Muon(exceptions: ["*proj*"]).isOrthogonal(ModulePath("b.proj.w"), shape: [16, 16]))
  }

  @Test("A matrix moves the same whatever other matrices there are")
  func grouping() {
    var alone = Layers([("a", [300, 300])])
    var together = Layers([("a", [300, 300])] + (0..<5).map { ("b\($0)", [300, 300]) })
    let gradients = together.gradients(0)
    var (first, second) = (Muon(), Muon())
    first.update(&alone, with: gradients, learningRate: 0.1, gradientScale: 1)
    second.update(&together, with: gradients, learningRate: 0.1, gradientScale: 1)
    let expected = alone.tensors[0].tensor.scalars
    #expect(
      mismatch(together.tensors[0].tensor, expected, relative: 1e-5, absolute: 1e-6) == nil)
    #expect(second.memory.entries.count == 6)
    for item in together.tensors {
      let original = Layers([("a", [300, 300])] + (0..<5).map { ("b\($0)", [300, 300]) })
      #expect(
        original.tensors.first { $0.name == item.name }?.tensor.scalars != item.tensor.scalars)
    }
  }

  @Test("Muon trains a denoiser")
  func learns() throws {
    let data = try ImageBatches(tinyPictures(), seed: 1)
    var trainer = tinyTrainer(optimizer: Muon(), averageDecay: 0.9, totalSteps: 150)
    func loss() -> Double {
      trainer.measures(on: [(data.batch(at: 10_000, count: 48), 48)]).first?.value ?? .nan
    }
    let before = loss()
    for step in 0..<150 { try trainer.step([data.batch(at: 16 * step, count: 16)]) }
    #expect(loss() < 0.5 * before)
  }

  @Test(
    "Patterns",
    arguments: [
      ("*embed*", "backbone.time_embedding.weight", true), ("*embed*", "conv_in.weight", false),
      ("conv_in.*", "conv_in.weight", true), ("conv_in.*", "down.conv_in.weight", false),
      ("a*b*c", "a.b.b.c", true), ("a*b*c", "a.c.b", false), ("a*a", "a", false), ("*", "x", true),
      ("", "x", false), ("x", "x", true), ("x**y", "x.y", true), ("*.bias", "a.bias", true),
    ])
  func patterns(pattern: String, path: String, matches: Bool) {
    #expect(PathPattern(pattern).matches(ModulePath(path)) == matches)
  }
}
