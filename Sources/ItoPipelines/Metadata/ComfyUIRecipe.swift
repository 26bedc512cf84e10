import ItoComponents
import ItoImages
import ItoTensors

extension RecipeFormat {
  /// ComfyUI: the graph that was run, as JSON under `prompt`.
  static let comfyUI = RecipeFormat(name: "ComfyUI") { metadata in
    guard let text = metadata["prompt"],
      let json = try? JSONValue.parse(text, options: .python), let nodes = json.object
    else { return nil }
    return ComfyUIGraph(nodes: nodes).recipe
  }
}

/// A graph of ComfyUI: nodes by number, each with a class and inputs, which are values or links
/// `[node, output]`.
private struct ComfyUIGraph {
  let nodes: JSONObject

  /// What the sampling node that is found first was run with.
  var recipe: PictureRecipe? {
    let samplers = nodes.filter { Self.type($0.value).hasPrefix("KSampler") }
    guard let (_, node) = samplers.first else { return nil }
    var recipe = PictureRecipe(tool: "ComfyUI")
    recipe.grammar = "comfy"
    recipe.engine = .torch
    recipe.seed = (value(node, "seed") ?? value(node, "noise_seed"))?.int.flatMap(
      UInt64.init(exactly:))
    recipe.steps = value(node, "steps")?.int
    recipe.guidanceScale = value(node, "cfg")?.double
    recipe.sampler = value(node, "sampler_name")?.string
    recipe.schedule = value(node, "scheduler")?.string
    if let strength = value(node, "denoise")?.double, strength < 1 { recipe.strength = strength }
    recipe.prompt = text(input(node, "positive")) ?? ""
    recipe.negative = text(input(node, "negative")) ?? ""
    if let latent = input(node, "latent_image") {
      if Self.type(latent).hasPrefix("Empty") {
        recipe.width = value(latent, "width")?.int
        recipe.height = value(latent, "height")?.int
      } else {
        recipe.others.append(.init(key: "latent_image", value: Self.type(latent)))
      }
    }
    followModel(input(node, "model"), &recipe)
    if samplers.count > 1 {
      recipe.others.append(.init(key: "sampling nodes", value: "\(samplers.count)"))
    }
    // A hundred say enough; a file may hold any number of them.
    for (_, node) in nodes.lazy.filter({ Self.isForeign(Self.type($0.value)) }).prefix(100) {
      recipe.others.append(.init(key: "node", value: Self.type(node)))
    }
    return recipe
  }

  private static func type(_ node: JSONValue) -> String { node["class_type"]?.string ?? "" }

  private static func isForeign(_ type: String) -> Bool {
    let known = [
      "KSampler", "CLIPTextEncode", "Empty", "CheckpointLoader", "LoraLoader", "VAEDecode",
      "VAELoader", "VAEEncode", "SaveImage", "PreviewImage", "CLIPSetLastLayer", "LoadImage",
    ]
    return !known.contains { type.hasPrefix($0) }
  }

  /// The value of an input; a link leads to the one value of a primitive node.
  private func value(_ node: JSONValue, _ name: String) -> JSONValue? {
    guard let linked = input(node, name) else { return node["inputs"]?[name] }
    let inputs = linked["inputs"]?.object
    return inputs?["value"] ?? inputs?[name] ?? inputs?.values.first
  }

  /// The node that an input is linked to.
  private func input(_ node: JSONValue, _ name: String) -> JSONValue? {
    guard let link = node["inputs"]?[name]?.array, link.count == 2 else { return nil }
    return (link[0].string ?? link[0].int.map(String.init)).flatMap { nodes[$0] }
  }

  /// The text that a conditioning comes from, through nodes that pass it on.
  private func text(_ node: JSONValue?) -> String? {
    var node = node
    // A damaged graph may have a loop.
    for _ in 0..<nodes.count {
      guard let current = node else { return nil }
      if Self.type(current).hasPrefix("CLIPTextEncode") {
        return (value(current, "text") ?? value(current, "text_g"))?.string
      }
      node = input(current, "conditioning") ?? input(current, "positive")
    }
    return nil
  }

  /// Adapters and the file of the model, nearest to the file first.
  private func followModel(_ node: JSONValue?, _ recipe: inout PictureRecipe) {
    var node = node
    for _ in 0..<nodes.count {
      guard let current = node else { return }
      if let name = value(current, "lora_name")?.string {
        recipe.adapters.insert(
          .init(
            name: Self.stem(name), strength: value(current, "strength_model")?.double ?? 1), at: 0)
      }
      if let name = (value(current, "ckpt_name") ?? value(current, "unet_name"))?.string {
        recipe.model = Self.stem(name)
        return
      }
      node = input(current, "model")
    }
  }

  private static func stem(_ file: String) -> String {
    let name = file.split(whereSeparator: { "/\\".contains($0) }).last.map(String.init) ?? file
    return name.lastIndex(of: ".").map { String(name[..<$0]) } ?? name
  }
}
