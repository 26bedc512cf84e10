import ItoModules
import ItoTensors
import ItoTestSupport
import Testing

@testable import ItoCheckpoints

/// The model of the goldens: `Tests/Fixtures/adapters/make.py`.
private struct Layers: Module {
  var linear: Linear, convolution: Conv2D

  init() throws {
    var initial = ParameterInitializer.placeholder
    linear = Linear(12, 8, &initial)
    convolution = Conv2D(4, 6, kernel: 3, stride: 2, &initial)
    try load(from: try SafeTensors(path: fixture("adapters/base.safetensors")))
  }

  func outputs(_ io: SafeTensors) throws -> (linear: Tensor, convolution: Tensor) {
    let image = try io.tensor("image").permuted(0, 2, 3, 1)
    return (linear(try io.tensor("x")), convolution(image).permuted(0, 3, 1, 2))
  }

  mutating func visit<V: ModuleVisitor>(_ v: inout V) throws(V.Failure) {
    try v.child("linear", &linear)
    try v.child("conv", &convolution)
  }
}

private func distance(_ a: Tensor, _ b: Tensor) -> Float {
  zip(a.scalars, b.scalars).reduce(0) { max($0, abs($1.0 - $1.1)) }
}

@Suite("Adapters")
struct AdapterTests {
  let io: SafeTensors
  private let base: Layers

  init() throws {
    io = try SafeTensors(path: fixture("adapters/io.safetensors"))
    base = try Layers()
  }

  private func adapter(_ file: AdapterFile) throws -> Adapter {
    try Adapter(file, part: "unet", of: base, names: AdapterNames(base))
  }

  @Test(
    "Every method gives what peft gives, beside the weights and merged into them",
    arguments: ["lora", "dora", "loha", "loha_tucker", "lokr", "lokr_tucker"])
  func methods(_ name: String) throws {
    let adapter = try adapter(AdapterFile(path: fixture("adapters/\(name).safetensors")))
    #expect(adapter.report.description == "applied 2 of 2")
    let adapted = base.applying(adapter.transform())
    let merged = adapted.applying(AdapterMerging(dtype: .float32))
    #expect(merged.linear.weight is DenseWeight && merged.convolution.weight is DenseKernel)
    for model in [adapted, merged] {
      let (linear, convolution) = try model.outputs(io)
      #expect(distance(linear, try io.tensor("\(name).linear")) < 2e-4)
      #expect(distance(convolution, try io.tensor("\(name).conv")) < 2e-4)
      #expect(distance(linear, try io.tensor("base.linear")) > 0.1)
    }
    // Nothing of the base is copied.
    let places = Set(base.parameters.map(\.tensor.storageAddress))
    #expect(places.isSubset(of: adapted.parameters.map(\.tensor.storageAddress)))
  }

  @Test("Strength scales the change, 0 is the model as it was, and adapters add up")
  func strengths() throws {
    let lora = try adapter(AdapterFile(path: fixture("adapters/lora.safetensors")))
    let loha = try adapter(AdapterFile(path: fixture("adapters/loha.safetensors")))
    #expect(base.applying(lora.transform(strength: 0)).linear.weight is DenseWeight)
    let plain = base.linear.weight.dense()
    func change(_ model: Layers) -> Tensor { model.linear.weight.dense() - plain }
    let both = base.applying(lora.transform(strength: 0.5)).applying(loha.transform(strength: -2))
    let expected =
      0.5 * change(base.applying(lora.transform())) - 2 * change(base.applying(loha.transform()))
    #expect(distance(change(both), expected) < 1e-5)
    let x = try io.tensor("x")
    #expect(
      distance(both.linear(x), x.linear(both.linear.weight.dense(), bias: base.linear.bias)) < 1e-4)
    // The blend of a decomposed adapter lies on the line between both ends.
    let dora = try adapter(AdapterFile(path: fixture("adapters/dora.safetensors")))
    let half = base.applying(dora.transform(strength: 0.5))
    let whole = change(base.applying(dora.transform()))
    #expect(distance(change(half), 0.5 * whole) < 1e-5)
    #expect(
      distance(half.linear(x), x.linear(half.linear.weight.dense(), bias: base.linear.bias)) < 1e-4)
  }

  /// The LoRA of the goldens with its keys respelled.
  private func respelled(_ spell: (_ layer: String, _ role: String) -> String) throws -> AdapterFile
  {
    let file = try SafeTensors(path: fixture("adapters/lora.safetensors"))
    var tensors: [String: Tensor] = [:]
    for layer in ["linear", "conv"] {
      let stem = "base_model.model.\(layer)"
      tensors[spell(layer, "down")] = try file.tensor("\(stem).lora_A.weight")
      tensors[spell(layer, "up")] = try file.tensor("\(stem).lora_B.weight")
      tensors[spell(layer, "alpha")] = try file.tensor("\(stem).alpha")
    }
    return try AdapterFile(MemorySource(tensors))
  }

  @Test("Every spelling is understood", arguments: 0..<9)
  func spellings(_ number: Int) throws {
    let file = try respelled { layer, role in
      let factor = role == "down" ? "A" : "B"
      if role == "alpha" {
        let prefixes = [
          "unet.", "unet.", "", "lora_unet_", "transformer.", "diffusion_model.", "unet.",
          "lycoris_", "lora_unet_",
        ]
        return "\(prefixes[number])\(layer).alpha"
      }
      return switch number {
      case 0: "unet.\(layer).lora_\(factor).weight"
      case 1: "unet.\(layer).lora_\(factor).default.weight"
      case 2: "\(layer).lora.\(role).weight"
      case 3: "lora_unet_\(layer).lora_\(role).weight"
      case 4: "transformer.\(layer).lora_\(factor).weight"
      case 5: "diffusion_model.\(layer).lora_\(factor).weight"
      case 6: "unet.\(layer).lora_linear_layer.\(role).weight"
      case 7: "lycoris_\(layer).lora_\(role).weight"
      default: "lora_unet_\(layer).lora_\(role).weight"
      }
    }
    #expect(file.parts == ["unet"] && file.count == 2 && file.foreign.isEmpty)
    let (linear, convolution) = try base.applying(adapter(file).transform()).outputs(io)
    #expect(distance(linear, try io.tensor("lora.linear")) < 2e-4)
    #expect(distance(convolution, try io.tensor("lora.conv")) < 2e-4)
  }

  @Test(
    "Endings and prefixes",
    arguments: [
      ("unet.mid.attn1.processor.to_q_lora.down.weight", "mid.attn1.to_q", "lora_down"),
      ("unet.mid.attn1.processor.to_out_lora.up.weight", "mid.attn1.to_out.0", "lora_up"),
      ("lora_te1_text_model_x.lora_up.weight", "lora_te1_text_model_x", "lora_up"),
      ("a.lora_magnitude_vector", "a", "magnitude"), ("a.lora_B.bias", "a", "diff_b"),
      ("a.lora_magnitude_vector.default.weight", "a", "magnitude"), ("a.b.diff", "a.b", "diff"),
      ("a.hada_w1_a", "a", "hada_w1_a"),
    ])
  func endings(_ key: String, _ module: String, _ role: String) {
    let found = AdapterRole.split(key)
    #expect(found?.module.replacing("unet.", with: "") == module && found?.role.name == role)
    #expect(AdapterRole.split("a.weight") == nil && AdapterRole.split("a.down.weight") == nil)
  }

  @Test("A full difference of weight and bias, and what nothing is known of")
  func differences() throws {
    let change = Tensor([Float](repeating: 0.25, count: 96), shape: [8, 12])
    let bias = Tensor([Float](repeating: 2, count: 8), shape: [8])
    let file = try AdapterFile(
      MemorySource([
        "lora_unet_linear.diff": change, "lora_unet_linear.diff_b": bias,
        "lora_unet_conv.oft_blocks": change, "lora_unet_other.lora_up.weight": change,
        "lora_te_x.lora_up.weight": change, "bundle_emb.x": change,
      ]))
    #expect(file.parts == ["unet", "text_encoder"] && file.foreign == ["bundle_emb.x"])
    let adapter = try adapter(file)
    #expect(
      adapter.report.description
        == "applied 1 of 3; the model has no weight for: other; of an unsupported method: conv")
    for model in [
      base.applying(adapter.transform()),
      base.applying(adapter.transform()).applying(AdapterMerging(dtype: .float32)),
    ] {
      let x = try io.tensor("x")
      let expected = base.linear(x) + x.linear(change, bias: bias)
      #expect(distance(model.linear(x), expected) < 1e-4)
    }
  }

  @Test("Adapters of other models, and files that are none, are refused with the reason")
  func refused() throws {
    func reason(_ tensors: [String: Tensor]) -> String {
      failure { () throws(CheckpointError) in
        _ = try Adapter(
          try AdapterFile(MemorySource(tensors)), part: "unet", of: base, names: AdapterNames(base))
      } ?? "accepted"
    }
    let small = Tensor(zeros: [2, 12])
    #expect(reason(["weight": small]).contains("it is no adapter"))
    #expect(
      reason(["lora_unet_x.lora_down.weight": small, "lora_unet_x.lora_up.weight": small])
        .contains("none of its 1 changes"))
    #expect(
      reason([
        "linear.lora_A.weight": Tensor(zeros: [2, 13]),
        "linear.lora_B.weight": Tensor(zeros: [8, 2]),
      ]).contains("a LoRA of one of [8, 13]"))
    #expect(reason(["linear.lora_A.weight": small]).contains("lacks its lora_up"))
    #expect(
      reason(["linear.lora_A.weight": small, "linear.lora_B.weight": Tensor(zeros: [8, 3])])
        .contains("ranks 2 and 3"))
    #expect(
      reason(["linear.lora_A.weight": Tensor(scalar: 1), "linear.lora_B.weight": small]).contains(
        "factor of shape"))
  }

  @Test("Lengths of inputs, as LyCORIS learns them")
  func inputLengths() throws {
    let file = try SafeTensors(path: fixture("adapters/lora.safetensors"))
    let lengths = Tensor((1...12).map { Float($0) / 6 }, shape: [1, 12])
    let adapter = try adapter(
      AdapterFile(
        MemorySource([
          "lora_unet_linear.lora_down.weight": try file.tensor(
            "base_model.model.linear.lora_A.weight"),
          "lora_unet_linear.lora_up.weight": try file.tensor(
            "base_model.model.linear.lora_B.weight"),
          "lora_unet_linear.dora_scale": lengths,
        ])))
    let model = base.applying(adapter.transform())
    let dense = model.linear.weight.dense()
    // Every column has the length it was told.
    let columns = (dense * dense).sum(axes: [0]).sqrt()
    #expect(distance(columns, lengths.reshaped(to: [12])) < 1e-5)
    let x = try io.tensor("x")
    for strength in [1, 0.3] {
      let model = base.applying(adapter.transform(strength: strength))
      let expected = x.linear(model.linear.weight.dense(), bias: base.linear.bias)
      #expect(distance(model.linear(x), expected) < 1e-4)
    }
  }

  @Test("In bfloat16 the change is of the weights' type and the result too")
  func narrow() throws {
    let narrow = base.converted(to: .bfloat16)
    let adapter = try adapter(AdapterFile(path: fixture("adapters/lora.safetensors")))
    let (linear, convolution) = try narrow.applying(adapter.transform()).outputs(io)
    #expect(linear.dtype == .bfloat16 && convolution.dtype == .bfloat16)
    #expect(distance(linear, try io.tensor("lora.linear")) < 0.3)
  }
}
