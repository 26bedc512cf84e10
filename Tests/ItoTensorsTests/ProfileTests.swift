import ItoTensors
import ItoTestSupport
import Testing

extension KernelTests {
  @Suite("Profile")
  struct ProfileTests {
    @Test("names, counts, work and bytes of operations")
    func recording() {
      let x = randomTensor([5, 7], seed: 1), w = randomTensor([3, 7], seed: 2)
      let picture = randomTensor([1, 4, 4, 2], seed: 3),
        kernel = randomTensor([3, 3, 3, 2], seed: 4)
      let heads = randomTensor([1, 6, 2, 8], seed: 5)
      let (y, entries) = Profile.recording {
        _ = picture.convolved(kernel, ConvolutionOptions(padding: 1))
        _ = attention(query: heads, key: heads, value: heads)
        _ = x.linear(w)
        return x.linear(w)
      }
      #expect(y.shape == [5, 3])
      let product = entries.first { $0.operation == "Matmul" }
      #expect(product?.calls == 2)
      #expect(product?.flops == Double(2 * 2 * 5 * 7 * 3))
      #expect(product?.bytes == Double(2 * 4 * (35 + 21 + 15)))
      #expect((product?.seconds ?? 0) > 0)
      let convolution = entries.first { $0.operation == "Convolution" }
      #expect(convolution?.calls == 1 && convolution?.flops == Double(2 * 16 * 3 * 9 * 2))
      let attended = entries.first { $0.operation == "Attention" }
      #expect(attended?.flops == Double(4 * 2 * 6 * 6 * 8))
      #expect(entries.map(\.seconds) == entries.map(\.seconds).sorted(by: >))
    }

    @Test("nothing is recorded outside, nothing is left from before, and errors pass through")
    func scope() {
      struct Failure: Error {}
      _ = randomTensor([3], seed: 1) + 1
      #expect(throws: Failure.self) {
        try Profile.recording { () throws(Failure) in
          _ = randomTensor([3], seed: 1).exp()
          throw Failure()
        }
      }
      _ = randomTensor([3], seed: 1) + 1
      #expect(Profile.recording { 1 }.entries.isEmpty)
    }
  }
}
