import ItoComponents
import ItoDiffusion
import ItoModules
import ItoTensors
import ItoTestSupport
import Testing

@testable import ItoModels

/// Skip connections that are read where they lie, beside the same network with concatenations.
@Suite("Skip connections without a copy", .serialized)
struct JoinedSkipTests {
  /// A block of 8 + 12 to 16 channels whose weights all matter.
  private func block(
    mode: ResidualBlock.TimeMode, _ resampling: ResidualBlock.Resampling = .none
  ) -> ResidualBlock {
    var initial = ParameterInitializer(seed: 3)
    let block = ResidualBlock(
      20, 16, timeFeatures: 6, groups: 4, epsilon: 1e-5, mode: mode, resampling: resampling,
      &initial)
    var seed: UInt64 = 20
    return block.mappingParameters { _, tensor in
      seed += 1
      return randomTensor(tensor.shape, seed: seed) * 0.3 + 0.1
    }
  }

  private let maps = JoinedChannels([
    randomTensor([2, 6, 10, 8], seed: 1), randomTensor([2, 6, 10, 12], seed: 2),
  ])
  private let time = Steering(randomTensor([2, 6], seed: 3), context: EvaluationContext())

  @Test(
    "a block of two maps is that of their concatenation",
    arguments: [ResidualBlock.TimeMode.add, .scaleShift],
    [ResidualBlock.Resampling.none, .up, .down])
  func blocks(_ mode: ResidualBlock.TimeMode, _ resampling: ResidualBlock.Resampling) {
    let block = block(mode: mode, resampling)
    let joined = Profile.recording { block(maps, time: time) }
    let plain = Profile.recording { block(maps.whole, time: time) }
    #expect(relativeRMSError(joined.result, plain.result) < 5e-7)
    #expect(!joined.entries.contains { $0.operation == "Concatenate" })
    #expect(plain.entries.contains { $0.operation == "Concatenate" })
  }

  @Test("a shortcut that reads one tensor only gets the concatenation, with the same bits")
  func fallsBack() {
    var adapted = block(mode: .add)
    guard let weight = adapted.shortcut?.weight else {
      Issue.record("the block has no shortcut")
      return
    }
    let delta = LowRankKernelDelta(
      down: randomTensor([2, 1, 1, 20], seed: 31), up: randomTensor([16, 1, 1, 2], seed: 32),
      scale: 1)
    let plain = adapted(maps, time: time)
    adapted.shortcut?.weight = AdaptedKernel(weight, delta: delta, strength: 0.5)
    #expect(adapted(maps, time: time).scalars == adapted(maps.whole, time: time).scalars)
    adapted.shortcut?.weight = AdaptedKernel(weight, delta: delta, strength: 0)
    #expect(adapted(maps, time: time).scalars == plain.scalars)
    // A kernel of several pixels, and none.
    var initial = ParameterInitializer(seed: 4)
    var other = ResidualBlock(20, 20, timeFeatures: 6, groups: 4, epsilon: 1e-5, &initial)
    #expect(other(maps, time: time).scalars == other(maps.whole, time: time).scalars)
    other.shortcut = Conv2D(20, 20, kernel: 3, &initial)
    #expect(other(maps, time: time).scalars == other(maps.whole, time: time).scalars)
  }

  @Test("a U-Net that draws is the one that is trained, and makes no concatenation")
  func network() throws {
    let text = #"""
      {"_class_name": "UNet2DModel", "in_channels": 2, "out_channels": 2,
       "block_out_channels": [8, 16], "layers_per_block": 2, "norm_num_groups": 4,
       "down_block_types": ["DownBlock2D", "AttnDownBlock2D"],
       "up_block_types": ["AttnUpBlock2D", "UpBlock2D"], "attention_head_dim": 8}
      """#
    func check<B: RegisteredBackbone>(_ fresh: B) {
      var seed: UInt64 = 40
      let network = fresh.mappingParameters { _, tensor in
        seed += 1
        let deviation = 1 / Double(max(10, tensor.shape.count / tensor.shape[0])).squareRoot()
        return randomTensor(tensor.shape, seed: seed, scale: deviation)
      }
      let x = randomTensor([2, 12, 10, 2], seed: 1)
      func evaluate(_ x: Tensor) -> (result: Tensor, entries: [Profile.Entry]) {
        Profile.recording {
          network(
            x, time: Tensor([3, 700], shape: [2]), conditioning: Conditioning(),
            context: EvaluationContext())
        }
      }
      let drawn = evaluate(x), trained = evaluate(x.tracked().0)
      #expect(relativeRMSError(drawn.result, trained.result.detached()) < 1e-6)
      #expect(!drawn.entries.contains { $0.operation == "Concatenate" })
      #expect(trained.entries.contains { $0.operation == "Concatenate" })
    }
    var initial = ParameterInitializer(seed: 3)
    check(try BackboneFamily.make(try JSONValue.parse(text), &initial))
  }

  @Test("gradients through two maps are those through their concatenation")
  func gradients() {
    func found(_ body: (ResidualBlock, JoinedChannels) -> Tensor) -> [[Float]] {
      let block = block(mode: .add)
      let leaves = maps.parts.map { $0.tracked() }
      let y = body(block, JoinedChannels(leaves.map(\.0))).squared().sum()
      let gradients = y.gradients(seed: Tensor(scalar: 1))
      return leaves.compactMap { gradients[$0.1]?.scalars }
    }
    let joined = found { $0($1, time: time) }
    #expect(joined.count == 2)
    #expect(joined == found { $0($1.whole, time: time) })
  }
}
