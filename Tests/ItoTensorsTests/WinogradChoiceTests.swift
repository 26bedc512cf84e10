import ItoCKernels
import ItoTensors
import ItoTestSupport
import Testing

extension KernelTests {
  @Suite("Where convolutions are filtered, and by which tile")
  struct WinogradChoiceTests {
    @Test(
      "large tiles in bfloat16 are taken where the options allow them, and nothing else changes")
    func largeTiles() {
      let x = randomTensor([1, 32, 32, 256], seed: 1), w = randomTensor([256, 3, 3, 256], seed: 2)
      let (half, kernel) = (x.cast(to: .bfloat16), (w * (1 / 48)).cast(to: .bfloat16))
      var options = ConvolutionOptions(padding: 1)
      let exact = half.cast(to: .float32).convolved(kernel.cast(to: .float32), options)
      let fine = half.convolved(kernel, options)
      options.allowsLargeTiles = true
      let large = half.convolved(kernel, options)
      let published = half.convolved(published: kernel.permuted([0, 3, 1, 2]), options)
      #expect(published.scalars == large.scalars)
      #expect((large.scalars != fine.scalars) == Runtime.usesBF16Pairs)
      #expect(relativeRMSError(fine.cast(to: .float32), exact) < 6e-3)
      #expect(relativeRMSError(large.cast(to: .float32), exact) < 1.5e-2)
      let same = half.cast(to: .float32).convolved(kernel.cast(to: .float32), options)
      #expect(same.scalars == exact.scalars, "in float32 they are taken anyway")
    }

    @Test("is chosen where it pays, and agrees with direct convolution, gradients included")
    func chosen() {
      let limit = Runtime.winogradTile
      defer { Runtime.winogradTile = limit }
      func tile(_ size: Int, _ channels: Int, _ outputs: Int) -> Int64 {
        var d = WinogradTests.Case(height: size, width: size, channels: channels, outputs: outputs)
          .descriptor(tile: 0)
        return ito_winograd_choice(&d)
      }
      Runtime.winogradTile = 4
      #expect(tile(64, 320, 320) == 4 && tile(16, 1280, 1280) == 4 && tile(128, 512, 512) == 4)
      #expect(tile(64, 4, 320) == 0 && tile(32, 1920, 640) == 4)
      // Four large tiles fill a third of a pass of twelve rows, two thirds of one of six.
      let hasLongPasses = Runtime.instructionSet.rawValue >= Runtime.InstructionSet.avx512.rawValue
      #expect(tile(8, 1280, 1280) == (hasLongPasses ? 2 : 4))
      for limit in [2, 4] {
        Runtime.winogradTile = limit
        var d = WinogradTests.Case(
          height: 32, width: 32, channels: 640, outputs: 640, doubles: true
        )
        .descriptor(tile: 0)
        #expect(ito_winograd_choice(&d) == 2)
        d.out_height -= 1
        #expect(ito_winograd_choice(&d) == 0)
        d = WinogradTests.Case(height: 64, width: 64, channels: 640, outputs: 640, stride: 2)
          .descriptor(tile: 0)
        #expect(ito_winograd_choice(&d) == 2)
      }
      Runtime.winogradTile = 2
      #expect(tile(64, 320, 320) == 2)
      Runtime.winogradTile = 0
      #expect(tile(64, 320, 320) == 0)

      let x = randomTensor([2, 15, 14, 128], seed: 6), b = randomTensor([160], seed: 7)
      let w = randomTensor([160, 3, 3, 128], seed: 8) * 0.05
      let seed = randomTensor([2, 15, 14, 160], seed: 9)
      func run(_ options: ConvolutionOptions, _ seed: Tensor) -> [Tensor] {
        let (tx, lx) = x.tracked(), (tw, lw) = w.tracked(), (tb, lb) = b.tracked()
        let y = tx.convolved(tw, bias: tb, options)
        let found = y.gradients(seed: seed)
        let cached = x.convolved(w, bias: b, options)
        let again = x.convolved(w, bias: b, options)
        let published = x.convolved(
          published: w.permuted([0, 3, 1, 2]), bias: b, options)
        #expect(published.scalars == y.scalars)
        #expect(cached.scalars == y.scalars && again.scalars == y.scalars)
        return [y, found[lx] ?? x, found[lw] ?? w, found[lb] ?? b]
      }
      let (every, other) = (
        ConvolutionOptions(padding: 1), ConvolutionOptions(stride: 2, padding: 1)
      )
      let strided = randomTensor([2, 8, 7, 160], seed: 10)
      let direct = run(every, seed), directStrided = run(other, strided)
      for limit in [2, 4] {
        Runtime.winogradTile = limit
        let found = run(every, seed)
        for (fast, plain) in zip(found, direct) { #expect(relativeRMSError(fast, plain) < 5e-6) }
        let areFiltered = [0, 1].map { found[$0].scalars != direct[$0].scalars }
        #expect(areFiltered == [true, true])
        let steps = run(other, strided)
        for (fast, plain) in zip(steps, directStrided) {
          #expect(relativeRMSError(fast, plain) < 5e-6)
        }
        // Whether so small a one is depends on the instruction set.
        var small = WinogradTests.Case(
          batch: 2, height: 15, width: 14, channels: 128, outputs: 160, stride: 2
        ).descriptor(tile: 0)
        let isFiltered = steps[0].scalars != directStrided[0].scalars
        #expect(isFiltered == (ito_winograd_choice(&small) == 2))
      }
    }
  }
}
