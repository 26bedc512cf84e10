import ItoTensors
import ItoTestSupport
import Testing

@Suite("Reshape") struct ReshapeTests {
  let x = randomTensor([2, 3, 4], seed: 1)

  @Test func keepsOrderAndBuffer() {
    let y = x.reshaped(to: [4, -1])
    #expect(y.shape == [4, 6])
    #expect(y.scalars == x.scalars)
    #expect(y.storageAddress == x.storageAddress)
    #expect(x.reshaped(to: Shape([24])).shape == [24])
    #expect(x.reshaped(to: [-1, 24]).shape == [1, 24])
    #expect(Tensor(scalar: 3).reshaped(to: [1, 1]).shape == [1, 1])
    #expect(Tensor(zeros: [0, 3]).reshaped(to: [3, -1]).shape == [3, 0])
  }

  @Test func mergesAndSplitsAxes() {
    #expect(x.flattened().shape == [24])
    #expect(x.flattened(from: 1).shape == [2, 12])
    #expect(x.flattened(from: -3, through: -2).shape == [6, 4])
    #expect(Tensor(scalar: 1).flattened().shape == [1])
    #expect(x.unflattened(axis: -1, into: [2, -1]).shape == [2, 3, 2, 2])
    #expect(x.unflattened(axis: 0, into: [1, 2]).shape == [1, 2, 3, 4])
  }

  @Test func addsAndRemovesAxesOfSizeOne() {
    #expect(x.expandedDims(at: 0).shape == [1, 2, 3, 4])
    #expect(x.expandedDims(at: -1).shape == [2, 3, 4, 1])
    #expect(x.expandedDims(at: 3).shape == [2, 3, 4, 1])
    #expect(x.expandedDims(at: -4).shape == [1, 2, 3, 4])
    let y = x.reshaped(to: [1, 2, 1, 12])
    #expect(y.squeezed().shape == [2, 12])
    #expect(y.squeezed(axis: 2).shape == [1, 2, 12])
    #expect(y.squeezed(axis: -2).shape == [1, 2, 12])
  }

  @Test func sendsGradientsBack() {
    let weights = randomTensor([6, 4], seed: 2)
    let report = checkGradients(
      of: { $0[0].reshaped(to: [6, -1]) * weights }, at: [x])
    #expect(report.failure == nil)
    #expect(
      checkGradients(of: { $0[0].expandedDims(at: 1).flattened().squeezed() }, at: [x]).failure
        == nil)
  }
}
