import ItoTensors
import ItoTestSupport
import Testing

#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

/// `(x − mean) / √(variance + ε)` over sets of elements that `group` numbers, in double precision.
private func normalised(
  _ x: [Float], epsilon: Double, isCentred: Bool = true, group: (Int) -> Int
) -> [Double] {
  var members: [Int: [Int]] = [:]
  for i in x.indices { members[group(i), default: []].append(i) }
  var out = [Double](repeating: 0, count: x.count)
  for indices in members.values {
    let n = Double(indices.count)
    let mean = isCentred ? indices.reduce(0) { $0 + Double(x[$1]) } / n : 0
    let variance = indices.reduce(0) { $0 + (Double(x[$1]) - mean) * (Double(x[$1]) - mean) } / n
    for i in indices { out[i] = (Double(x[i]) - mean) / (variance + epsilon).squareRoot() }
  }
  return out
}

@Suite("Normalisation", .serialized)
struct NormalizationTests {
  /// Shape and groups: odd sizes, one pixel, several blocks of pixels.
  static let groupCases: [(Shape, Int)] = [
    ([2, 3, 5, 12], 3), ([1, 1, 1, 6], 2), ([3, 7, 4], 1), ([2, 9, 9, 33], 33),
    ([1, 70, 70, 32], 8),
    ([2, 40, 41, 96], 4),
  ]
  static let rowCases: [Shape] = [
    [1], [5, 7], [3, 1], [2, 3, 64], [4, 1000], [130, 33], [3, 2049],
  ]

  private func silu(_ z: Double) -> Double { z / (1 + exp(-z)) }

  private func expected(
    _ x: Tensor, _ groups: Int, _ w: Tensor, _ b: Tensor, activates: Bool
  ) -> [Float] {
    let channels = x.shape[-1], width = channels / groups, sample = x.shape.count / x.shape[0]
    let plain = normalised(x.scalars, epsilon: 1e-5) {
      $0 / sample * groups + $0 % channels / width
    }
    return plain.indices.map { i in
      let z = plain[i] * Double(w.scalars[i % channels]) + Double(b.scalars[i % channels])
      return Float(activates ? silu(z) : z)
    }
  }

  @Test("group norm like a loop on every instruction set", arguments: groupCases)
  func groupNorm(_ shape: Shape, _ groups: Int) {
    // An offset that a one-pass variance would lose.
    let x = randomTensor(shape, seed: 1, offset: 50)
    let w = randomTensor([shape[-1]], seed: 2), b = randomTensor([shape[-1]], seed: 3)
    let before = Runtime.instructionSet
    defer { Runtime.instructionSet = before }
    let plain = expected(x, groups, w, b, activates: false)
    let active = expected(x, groups, w, b, activates: true)
    for level in Runtime.InstructionSet.allCases {
      Runtime.instructionSet = level
      let y = x.groupNorm(groups: groups, weight: w, bias: b)
      #expect(mismatch(y, plain, relative: 2e-4, absolute: 2e-4) == nil)
      let z = x.groupNorm(groups: groups, weight: w, bias: b, activation: .silu)
      #expect(mismatch(z, active, relative: 2e-4, absolute: 2e-4) == nil)
      let centred = x - 50
      let half = centred.cast(to: .bfloat16).groupNorm(groups: groups, weight: w, bias: b)
      #expect(half.dtype == .bfloat16)
      #expect(
        relativeRMSError(half.cast(to: .float32), Tensor(plain, shape: shape)) < 8e-3
          || shape.count < 20)
    }
  }

  @Test("group norm gradients", arguments: groupCases.prefix(4), [nil, Activation.silu])
  func groupGradients(_ size: (Shape, Int), _ activation: Activation?) {
    let (shape, groups) = size
    let x = randomTensor(shape, seed: 4), w = randomTensor([shape[-1]], seed: 5, offset: 1)
    let b = randomTensor([shape[-1]], seed: 6)
    let report = checkGradients(
      of: {
        $0[0].groupNorm(groups: groups, weight: $0[1], bias: $0[2], activation: activation)
      }, at: [x, w, b], step: 3e-3)
    #expect(report.failure == nil || shape.count < 20)
    let bare = checkGradients(of: { $0[0].groupNorm(groups: groups) }, at: [x], step: 3e-3)
    #expect(bare.failure == nil || shape.count < 20)
  }

  @Test(
    "an added vector and a weight for each sample equal their compositions", arguments: [7, 1700])
  func groupFusions(_ pixels: Int) {
    let x = randomTensor([3, pixels, 24], seed: 11), e = randomTensor([3, 24], seed: 12) * 3
    let w = randomTensor([3, 24], seed: 13, offset: 1), b = randomTensor([3, 24], seed: 14)
    let wide: Shape = [3, 1, 24]
    func composed(_ p: [Tensor]) -> Tensor {
      let normal = (p[0] + p[1].reshaped(to: wide)).groupNorm(groups: 4)
      return (normal * p[2].reshaped(to: wide) + p[3].reshaped(to: wide)).silu()
    }
    func fused(_ p: [Tensor]) -> Tensor {
      p[0].groupNorm(groups: 4, weight: p[2], bias: p[3], offset: p[1], activation: .silu)
    }
    let inputs = [x, e, w, b]
    #expect(mismatch(fused(inputs), composed(inputs).scalars, absolute: 2e-5) == nil)
    let seed = randomTensor(x.shape, seed: 15)
    func gradients(_ body: ([Tensor]) -> Tensor) -> [Tensor] {
      let leaves = inputs.map { $0.tracked() }
      let found = body(leaves.map(\.0)).gradients(seed: seed)
      return leaves.compactMap { found[$0.1] }
    }
    for (own, reference) in zip(gradients(fused), gradients(composed)) {
      #expect(own.shape == reference.shape)
      #expect(relativeRMSError(own, reference) < 2e-5)
    }
    let half = inputs[0].cast(to: .bfloat16)
      .groupNorm(groups: 4, weight: w, bias: b, offset: e, activation: .silu)
    #expect(relativeRMSError(half.cast(to: .float32), composed(inputs)) < 8e-3)
  }

  @Test("a pixel far from all others spoils no variance, wherever it is", arguments: [0, 5, 4999])
  func groupOutlier(_ place: Int) {
    var values = randomTensor([1, 5000, 8], seed: 16).scalars
    for c in 0..<8 { values[place * 8 + c] = 3000 }
    let x = Tensor(values, shape: [1, 5000, 8])
    let exact = normalised(values, epsilon: 1e-5) { $0 % 8 / 4 }
    let before = Runtime.instructionSet
    defer { Runtime.instructionSet = before }
    for level in Runtime.InstructionSet.allCases {
      Runtime.instructionSet = level
      let found = x.groupNorm(groups: 2)
      #expect(mismatch(found, exact.map { Float($0) }, relative: 1e-5, absolute: 2e-6) == nil)
    }
  }

  @Test(
    "the same row gives the same bits wherever it stands", arguments: [5, 16, 33, 64, 96, 100, 400])
  func rowsAreAlike(_ n: Int) {
    let before = Runtime.instructionSet, threads = Runtime.threads
    defer {
      Runtime.instructionSet = before
      Runtime.threads = threads
    }
    let x = randomTensor([1, n], seed: 17, offset: 2), w = randomTensor([n], seed: 18, offset: 1)
    let g = randomTensor([1, n], seed: 19)
    for level in Runtime.InstructionSet.allCases {
      Runtime.instructionSet = level
      for type in [DType.float32, .bfloat16] {
        func run(_ rows: Int) -> [[Float]] {
          let (leaf, key) = x.cast(to: type).broadcast(to: [rows, n]).tracked()
          let up = g.cast(to: type).broadcast(to: [rows, n])
          let layer = leaf.layerNorm(weight: w, bias: w), rms = leaf.rmsNorm(weight: w)
          return [
            layer, rms, layer.gradients(seed: up)[key] ?? x, rms.gradients(seed: up)[key] ?? x,
          ]
          .map { $0.cast(to: .float32).scalars }
        }
        let one = run(1)
        for (rows, count) in [(7, 1), (2501, 2)] {
          Runtime.threads = count
          for (all, alone) in zip(run(rows), one) {
            #expect((0..<rows).allSatisfy { all[($0 * n)..<($0 * n + n)].elementsEqual(alone) })
          }
        }
      }
    }
  }

  @Test("gradients of a large picture agree with those of its parts in float32 and bfloat16")
  func blockedGradients() {
    let x = randomTensor([1, 70, 70, 32], seed: 7), g = randomTensor([1, 70, 70, 32], seed: 8)
    let w = randomTensor([32], seed: 9, offset: 1), b = randomTensor([32], seed: 10)
    func run(_ dtype: DType) -> [Tensor] {
      let (tx, lx) = x.cast(to: dtype).tracked(), (tw, lw) = w.tracked(), (tb, lb) = b.tracked()
      let y = tx.groupNorm(groups: 8, weight: tw, bias: tb, activation: .silu)
      let found = y.gradients(seed: g.cast(to: dtype))
      return [found[lx] ?? x, found[lw] ?? w, found[lb] ?? b].map { $0.cast(to: .float32) }
    }
    let full = run(.float32)
    // Composed of elementary operations.
    let (tx, lx) = x.tracked()
    let r = tx.reshaped(to: [1, 4900, 8, 4])
    let centred = r - r.mean(axes: [1, 3], keepingAxes: true)
    let spread = (r.variance(axes: [1, 3], keepingAxes: true) + 1e-5).sqrt()
    let y = ((centred / spread).reshaped(to: x.shape) * w + b).silu()
    let reference = y.gradients(seed: g)[lx] ?? x
    #expect(relativeRMSError(full[0], reference) < 1e-4)
    for (half, single) in zip(run(.bfloat16), full) {
      #expect(relativeRMSError(half, single) < 2e-2)
    }
  }

  @Test("layer and RMS norm like a loop on every instruction set", arguments: rowCases)
  func rowNorm(_ shape: Shape) {
    let x = randomTensor(shape, seed: 1, offset: 3), n = shape[-1]
    let w = randomTensor([n], seed: 2), b = randomTensor([n], seed: 3)
    let layer = normalised(x.scalars, epsilon: 1e-5) { $0 / n }
    let rms = normalised(x.scalars, epsilon: 1e-6, isCentred: false) { $0 / n }
    let (vw, vb) = (w.scalars, b.scalars)
    let affine = layer.indices.map { Float(layer[$0] * Double(vw[$0 % n]) + Double(vb[$0 % n])) }
    let scaled = rms.indices.map { Float(rms[$0] * Double(vw[$0 % n])) }
    let before = Runtime.instructionSet
    defer { Runtime.instructionSet = before }
    for level in Runtime.InstructionSet.allCases {
      Runtime.instructionSet = level
      #expect(mismatch(x.layerNorm(), layer.map { Float($0) }, absolute: 1e-4) == nil)
      #expect(mismatch(x.layerNorm(weight: w, bias: b), affine, absolute: 1e-4) == nil)
      #expect(mismatch(x.rmsNorm(), rms.map { Float($0) }, absolute: 1e-4) == nil)
      #expect(mismatch(x.rmsNorm(weight: w), scaled, absolute: 1e-4) == nil)
    }
  }

  @Test("row norm gradients", arguments: [Shape([5, 7]), [2, 3, 64], [40, 33]])
  func rowGradients(_ shape: Shape) {
    let n = shape[-1]
    let x = randomTensor(shape, seed: 4), w = randomTensor([n], seed: 5),
      b = randomTensor([n], seed: 6)
    let layer = checkGradients(
      of: { $0[0].layerNorm(weight: $0[1], bias: $0[2]) }, at: [x, w, b], step: 3e-3)
    #expect(layer.failure == nil)
    #expect(checkGradients(of: { $0[0].layerNorm() }, at: [x], step: 3e-3).failure == nil)
    let rms = checkGradients(of: { $0[0].rmsNorm(weight: $0[1]) }, at: [x, w], step: 3e-3)
    #expect(rms.failure == nil)
  }

  @Test("modulated norm and gated sum equal their compositions, gradients included")
  func adaptive() {
    let x = randomTensor([3, 5, 16], seed: 1), y = randomTensor([3, 5, 16], seed: 2)
    let scale = randomTensor([3, 16], seed: 3), shift = randomTensor([3, 16], seed: 4)
    let wide: Shape = [3, 1, 16]
    let plain =
      x.layerNorm(epsilon: 1e-6) * (scale.reshaped(to: wide) + 1) + shift.reshaped(to: wide)
    let modulated = x.layerNormModulated(scale: scale, shift: shift)
    #expect(mismatch(modulated, plain.scalars, absolute: 1e-5) == nil)
    let report = checkGradients(
      of: { $0[0].layerNormModulated(scale: $0[1], shift: $0[2]) }, at: [x, scale, shift],
      step: 3e-3)
    #expect(report.failure == nil)
    let rms = x.rmsNorm() * (scale.reshaped(to: wide) + 1) + shift.reshaped(to: wide)
    #expect(
      mismatch(x.rmsNormModulated(scale: scale, shift: shift), rms.scalars, absolute: 1e-5) == nil)
    let scaled = checkGradients(
      of: { $0[0].rmsNormModulated(scale: $0[1], shift: $0[2]) }, at: [x, scale, shift], step: 3e-3)
    #expect(scaled.failure == nil)
    #expect(
      checkGradients(of: { $0[0].rmsNormModulated(scale: $0[1]) }, at: [x, scale], step: 3e-3)
        .failure == nil)
    let gated = addGated(x, y, gate: scale)
    #expect(mismatch(gated, (x + y * scale.reshaped(to: wide)).scalars, absolute: 1e-6) == nil)
    let gates = checkGradients(of: { addGated($0[0], $0[1], gate: $0[2]) }, at: [x, y, scale])
    #expect(gates.failure == nil)
    let half = addGated(x.cast(to: .bfloat16), y.cast(to: .bfloat16), gate: scale)
    #expect(half.dtype == .bfloat16)
    #expect(relativeRMSError(half.cast(to: .float32), gated) < 6e-3)
  }
}
