import ItoTensors
import ItoTestSupport
import Testing

@Suite("Group norm in place and of parts", .serialized)
struct GroupNormInPlaceTests {
  @Test("in place: the same bits in the same buffer", arguments: NormalizationTests.groupCases)
  func groupInPlace(_ shape: Shape, _ groups: Int) {
    let w = randomTensor([shape[-1]], seed: 2), b = randomTensor([shape[-1]], seed: 3)
    let before = Runtime.instructionSet
    defer { Runtime.instructionSet = before }
    for level in Runtime.InstructionSet.allCases {
      Runtime.instructionSet = level
      for (type, activation) in zip(
        [DType.float32, .bfloat16, .float32], [Activation?.some(.silu), nil, .gelu])
      {
        var x = randomTensor(shape, seed: 1, offset: 2).cast(to: type)
        let apart = x.groupNorm(groups: groups, weight: w, bias: b, activation: activation)
        let address = x.storageAddress
        x.formGroupNorm(groups: groups, weight: w, bias: b, activation: activation)
        #expect(x.scalars == apart.scalars && x.dtype == type)
        #expect((x.storageAddress == address) == (activation != .gelu))
      }
    }
  }

  @Test("what others hold, and what a gradient needs, is left as it was")
  func groupInPlaceShared() {
    let x = randomTensor([2, 7, 6], seed: 4), values = x.scalars
    var shared = x
    shared.formGroupNorm(groups: 3)
    #expect(x.scalars == values && shared.scalars == x.groupNorm(groups: 3).scalars)
    let report = checkGradients(
      of: {
        var y = $0[0] * 2
        y.formGroupNorm(groups: 3, weight: $0[1], activation: .silu)
        return y
      }, at: [x, randomTensor([6], seed: 5, offset: 1)], step: 3e-3)
    #expect(report.failure == nil)
  }

  @Test(
    "parts by the moments of all of them equal the whole", arguments: [DType.float32, .bfloat16])
  func groupMoments(_ type: DType) {
    let x = randomTensor([1, 37, 50, 24], seed: 6, offset: 3).cast(to: type)
    let w = randomTensor([24], seed: 7), b = randomTensor([24], seed: 8)
    let before = Runtime.instructionSet
    defer { Runtime.instructionSet = before }
    for level in Runtime.InstructionSet.allCases {
      Runtime.instructionSet = level
      for activation in [nil, Activation.silu, .gelu] {
        let whole = x.groupNorm(
          groups: 4, weight: w, bias: b, epsilon: 1e-3, activation: activation)
        let parts = [0..<1, 1..<30, 30..<37].map { x.sliced($0, axis: 1) }
        var moments = GroupMoments(groups: 4)
        for part in parts { moments.add(part) }
        let normed = parts.map { part in
          var part = part
          part.formGroupNorm(
            by: moments, weight: w, bias: b, epsilon: 1e-3, activation: activation)
          return part
        }
        let error = relativeRMSError(
          Tensor.concatenated(normed, axis: 1).cast(to: .float32), whole.cast(to: .float32))
        #expect(error < (type == .float32 ? 1e-6 : 1e-3))
        #expect(normed[0].dtype == type && parts[0].scalars == x.sliced(0..<1, axis: 1).scalars)
      }
    }
  }
}
