import ItoComponents

// The settings of a `UNet2DConditionModel` that take more than a line to read.
extension ModelConfiguration {
  /// A size, or the larger side of a pair.
  mutating func size(_ key: String) throws(ModelError) -> Int? {
    guard let found = json(key) else { return nil }
    if found.array == nil { return try optionalInt(key) }
    return try ints(key).max()
  }

  /// The kinds of block of each level, finest first.
  mutating func levelTypes(_ count: Int) throws(ModelError) -> (down: [String], up: [String]) {
    let standard = (
      down: [
        "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D",
      ],
      up: ["UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"]
    )
    let down =
      json("down_block_types") == nil && count == 4
      ? standard.down
      : try choices(
        "down_block_types",
        of: ["CrossAttnDownBlock2D", "DownBlock2D", "ResnetDownsampleBlock2D"], count: count)
    let up =
      json("up_block_types") == nil && count == 4
      ? standard.up
      : try choices(
        "up_block_types", of: ["CrossAttnUpBlock2D", "UpBlock2D", "ResnetUpsampleBlock2D"],
        count: count)
    return (down, up.reversed())
  }

  /// Transformer blocks after each residual block: finest level first, down and up, and in the middle.
  mutating func transformerLayers(
    _ layers: [Int]
  ) throws(ModelError) -> (down: [[Int]], up: [[Int]], middle: Int) {
    let key = "transformer_layers_per_block", reversedKey = "reverse_transformer_layers_per_block"
    func read(_ value: JSONValue, _ key: String, extra: Int) throws(ModelError) -> [[Int]] {
      let levels = value.array ?? JSONArray([JSONValue](repeating: value, count: layers.count))
      guard levels.count == layers.count else {
        throw wrong(key, "a number, or a list of \(layers.count)")
      }
      var result: [[Int]] = []
      let order = extra == 0 ? layers : layers.reversed()
      for (level, blocks) in zip(levels, order) {
        let numbers = level.array ?? JSONArray([JSONValue](repeating: level, count: blocks + extra))
        // No more than can be needed: a file may list any number of them.
        let counts = numbers.prefix(64).compactMap(\.int).filter { (0...1000).contains($0) }
        guard counts.count == numbers.count, counts.count >= blocks + extra else {
          throw wrong(
            key, "numbers of transformer blocks from 0 to 1000, one for each residual block")
        }
        result.append(counts)
      }
      return result
    }
    let value = json(key) ?? 1
    let down = try read(value, key, extra: 0)
    let middle = value.array.map { $0.last?[0]?.int ?? $0.last?.int ?? 1 } ?? value.int ?? 1
    if let mirrored = json(reversedKey) {
      return (down, try read(mirrored, reversedKey, extra: 1).reversed(), middle)
    }
    let isAsymmetric = value.array?.contains { $0.array != nil } ?? false
    guard !isAsymmetric else { throw .missing(model: model, key: reversedKey) }
    return (down, zip(down, layers).map { [Int](repeating: $0.first ?? 1, count: $1 + 1) }, middle)
  }

  /// Whether there is a middle; takes its transformers away where it has none.
  mutating func hasMiddle(_ transformers: inout Int?) throws(ModelError) -> Bool {
    let key = "mid_block_type", attentive = "UNetMidBlock2DCrossAttn", plain = "UNetMidBlock2D"
    // Concerns a kind of middle that is refused.
    ignore("mid_block_only_cross_attention")
    if isNull(key) {
      transformers = nil
      return false
    }
    if try choice(key, of: [attentive, plain], default: attentive) == plain { transformers = nil }
    return true
  }

  mutating func classEmbedding() throws(ModelError)
    -> UNet2DConditionConfiguration.ClassEmbedding
  {
    let type = try choice(
      "class_embed_type", of: ["timestep", "identity", "projection", "simple_projection"],
      default: "")
    let table = try optionalInt("num_class_embeds")
    switch type {
    case "timestep": return .timestep
    case "identity": return .identity
    case "projection": return .projection(try int("projection_class_embeddings_input_dim"))
    case "simple_projection":
      return .simpleProjection(try int("projection_class_embeddings_input_dim"))
    default: return table.map { .table($0) } ?? .none
    }
  }

  mutating func sizes() throws(ModelError) -> UNet2DConditionConfiguration.Sizes? {
    let type = try choice("addition_embed_type", of: ["text_time"], default: "")
    guard type == "text_time" else {
      ignore("addition_time_embed_dim", "projection_class_embeddings_input_dim")
      return nil
    }
    return .init(
      features: try int("addition_time_embed_dim"),
      inputs: try int("projection_class_embeddings_input_dim"))
  }
}
