import ItoComponents
import ItoDiffusion
import ItoModules
import ItoTensors
import ItoTestSupport
import Testing

@testable import ItoModels

@Suite("ConvTransformer")
struct ConvTransformerTests {
  private func make(_ change: (inout JSONObject) -> Void = { _ in }) throws -> ConvTransformer {
    var settings: JSONObject = [
      "_class_name": "ItoConvTransformer2DModel", "sample_size": 16, "in_channels": 3,
      "out_channels": 3, "block_out_channels": [8, 16], "num_layers": 2, "num_attention_heads": 2,
      "attention_head_dim": 8, "cross_attention_dim": 5, "pooled_projection_dim": 6,
      "conditioning_dim": 12, "norm_num_groups": 4,
    ]
    change(&settings)
    var initial = ParameterInitializer(seed: 3)
    return try ConvTransformer(configuration: .object(settings), &initial)
  }

  /// No layer starts as a no-op.
  private func awake(_ network: ConvTransformer) -> ConvTransformer {
    var seed: UInt64 = 100
    return network.mappingParameters { _, tensor in
      seed += 1
      return randomTensor(tensor.shape, seed: seed, scale: 0.2)
    }
  }

  private func evaluate(
    _ network: ConvTransformer, _ conditioning: Conditioning,
    _ context: EvaluationContext = EvaluationContext()
  ) -> Tensor {
    network(
      randomTensor([2, 16, 16, 3], seed: 1), time: Tensor([3, 700], shape: [2]),
      conditioning: conditioning, context: context)
  }

  private let prompt = Conditioning(
    tokens: randomTensor([2, 4, 5], seed: 2), pooled: randomTensor([2, 6], seed: 3),
    mask: Tensor([true, true, true, false, true, true, true, true], shape: [2, 4]))

  @Test("Tokens and pooled prompt matter, each by itself; masked tokens do not")
  func prompts() throws {
    let network = awake(try make())
    let base = evaluate(network, prompt)
    var other = prompt
    other.pooled = randomTensor([2, 6], seed: 4)
    #expect(relativeRMSError(evaluate(network, other), base) > 1e-3)
    other = prompt
    other.tokens?.update { $0[15] = 50 }
    #expect(evaluate(network, other).scalars == base.scalars)
    other.tokens?.update { $0[0] = 5 }
    #expect(relativeRMSError(evaluate(network, other), base) > 1e-3)
    // No prompt is a prompt of which nothing counts.
    var nothing = prompt
    nothing.mask = Tensor([Bool](repeating: false, count: 8), shape: [2, 4])
    nothing.pooled = nil
    #expect(
      relativeRMSError(evaluate(network, nothing), evaluate(network, Conditioning())) < 1e-5)
  }

  @Test("The pooled prompt's layers learn")
  func gradients() throws {
    let network = awake(try make())
    let (_, gradients) = valueWithGradient(at: network) { evaluate($0, prompt).squared().mean() }
    for (path, tensor) in network.parameters {
      let gradient = try #require(gradients[path], "\(path)")
      #expect(gradient.shape == tensor.shape && gradient.isFinite)
    }
  }

  @Test("Routing: off is bit-identical; on, every choice of blocks works, and gradients are right")
  func routing() throws {
    let network = awake(try make { $0["num_layers"] = 4 })
    #expect(network.routableBlocks == 4)
    let plain = evaluate(network, prompt, EvaluationContext(training: true))
    func routed(_ network: ConvTransformer, _ routing: TokenRouting?) -> Tensor {
      evaluate(
        network, prompt,
        EvaluationContext(routing: routing, noise: NoiseSource(seed: 1, engine: .philox)))
    }
    #expect(routed(network, nil).scalars == plain.scalars)
    #expect(
      routed(network, TokenRouting(share: 0, first: 0, lastFromEnd: 1)).scalars == plain.scalars)
    for (first, last) in [(0, 1), (1, 2), (0, 4)] {
      let found = routed(network, TokenRouting(share: 0.5, first: first, lastFromEnd: last))
      #expect(found.shape == plain.shape && found.isFinite)
      #expect(relativeRMSError(found, plain) > 1e-3, "\(first) \(last)")
    }
    func loss(_ network: ConvTransformer) -> Tensor {
      routed(network, TokenRouting(share: 0.5, first: 1, lastFromEnd: 2)).squared().mean()
    }
    let (_, gradients) = valueWithGradient(at: network) { loss($0) }
    for (path, _) in network.parameters {
      let gradient = try #require(gradients[path], "\(path)")
      #expect(gradient.isFinite)
      // Along the gradient the loss rises by its norm.
      guard ["positions", "null_token"].contains("\(path)") || "\(path)".hasPrefix("blocks.") else {
        continue
      }
      let norm = gradient.sumOfSquares.squareRoot()
      guard norm > 1e-4 else { continue }
      func moved(_ step: Double) -> Double {
        Double(
          loss(network.mappingParameters { $0 == path ? $1 + step / norm * gradient : $1 }).item)
      }
      let h = 5e-3
      let slope = (moved(h) - moved(-h)) / (2 * h)
      #expect(abs(slope - norm) < 0.02 * norm + 1e-3, "\(path): \(slope), \(norm)")
    }
  }

  @Test("Everything below a level, and every block, is a cache site")
  func sites() throws {
    struct Count: CachePolicy {
      struct Session: CacheSession {
        mutating func lookup(_ query: CacheQuery) -> Activations? { nil }
        mutating func record(_ output: Activations, for query: CacheQuery) {}
      }
      func makeSession(for plan: SamplingPlan) -> Session { Session() }
    }
    let schedule = RectifiedFlow()
    let level = schedule.level(at: 0.5)
    let plan = SamplingPlan(levels: [level, schedule.level(at: 0.1)], schedule: schedule)
    let context = EvaluationContext(cache: Count(), plan: plan)
    context.step = StepInfo(index: 0, count: 1, evaluation: 0, level: level)
    let network = awake(try make())
    #expect(evaluate(network, prompt, context).scalars == evaluate(network, prompt).scalars)
    #expect(context.statistics.computed == 4)
  }

  @Test("Sizes and widths that do not work out are refused")
  func refused() {
    #expect(throws: ModelError.self) { try make { $0["sample_size"] = 12 } }
    #expect(throws: ModelError.self) { try make { $0["norm_num_groups"] = 5 } }
    #expect(throws: ModelError.self) { try make { $0["conditioning_dim"] = 3 } }
    #expect(throws: ModelError.self) { try make { $0["dropout"] = 0.5 } }
  }
}
