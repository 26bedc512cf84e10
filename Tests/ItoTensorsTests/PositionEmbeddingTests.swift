import ItoTensors
import ItoTestSupport
import Testing

/// Expected values are those of diffusers 0.42.1 on PyTorch 2.13.
@Suite("Position embeddings") struct PositionEmbeddingTests {
  let times = Tensor([0, 1, 500.5, 999], shape: [4])

  @Test func timestepsAsInDiffusers() {
    let even: [Float] = [
      0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 0.841470957, 0.00999983307, 9.99999902e-05, 0.540302336,
      0.999949992, 1.0, -0.834248304, -0.957493961, 0.0500291027, -0.551388979, 0.288453341,
      0.998747766, -0.0264607519, -0.535603166, 0.0997339115, 0.999649823, -0.844469786,
      0.995014131,
    ]
    let plain = Tensor.sinusoidalEmbedding(times: times, dimension: 6)
    #expect(plain.shape == [4, 6])
    #expect(mismatch(plain, even, absolute: 2e-7) == nil)

    let odd: [Float] = [
      1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.540302336, 0.998922944, 0.999997675, 0.841470957,
      0.0463992283, 0.00215443317, 0.0, -0.551388979, -0.32479164, 0.472831726, -0.834248304,
      -0.945785582, 0.881152749, 0.0, 0.999649823, -0.728673339, -0.549264669, -0.0264607519,
      0.684861422, 0.835648477, 0.0,
    ]
    let flipped = Tensor.sinusoidalEmbedding(
      times: times, dimension: 7, flipSinToCos: true, downscaleFreqShift: 0)
    #expect(mismatch(flipped, odd, absolute: 2e-7) == nil)

    let scaled: [Float] = [
      0.0, 0.0, 1.0, 1.0, 0.826879561, 0.909297466, 0.562379062, -0.416146725, 0.303140014,
      0.920014501, 0.952946007, -0.391884267, -0.971410215, -0.0530248731, 0.237407327,
      0.998593211,
    ]
    let found = Tensor.sinusoidalEmbedding(times: times, dimension: 4, maxPeriod: 500, scale: 1000)
    #expect(mismatch(found, scaled, absolute: 2e-7) == nil)
  }

  @Test func timestepsOfAnyElementType() {
    let integers = Tensor.sinusoidalEmbedding(
      times: Tensor([0, 1, 999] as [Int64], shape: [3]), dimension: 6)
    let floats = Tensor.sinusoidalEmbedding(
      times: Tensor([0, 1, 999], shape: [3]), dimension: 6)
    #expect(integers.scalars == floats.scalars)
  }

  @Test func positionsAsInDiffusers() {
    let expected: [Float] = [
      0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 1.0, 0.618369818, 0.00666661747, 0.785887241,
      0.999977767, 0.0, 0.0, 1.0, 1.0, 0.971937895, 0.0133329388, 0.235237539, 0.999911129, 0.0,
      0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 1.0, 0.841470957, 0.00999983307, 0.540302277, 0.999949992,
      0.618369818, 0.00666661747, 0.785887241, 0.999977767, 0.841470957, 0.00999983307,
      0.540302277, 0.999949992, 0.971937895, 0.0133329388, 0.235237539, 0.999911129, 0.841470957,
      0.00999983307, 0.540302277, 0.999949992,
    ]
    let found = Tensor.sinCosPositions(
      height: 2, width: 3, features: 8, baseSize: 4, interpolationScale: 2)
    #expect(found.shape == [6, 8])
    #expect(mismatch(found, expected, absolute: 1e-7) == nil)
  }
}
