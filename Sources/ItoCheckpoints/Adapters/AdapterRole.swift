/// What a tensor of an adapter file is to the module it belongs to.
///
/// Every tool has its own endings for the same few things; they are told apart here, once.
struct AdapterRole: Hashable, Sendable {
  /// The ending in the spelling that LyCORIS and kohya use: `lora_down`, `hada_w1_a`, `alpha`.
  var name: String

  /// Splits a key into the module's name and the role. Nil when the ending is none of an adapter's.
  ///
  /// `to_q.lora_A.default.weight` is `to_q` and `lora_down`; `processor.to_q_lora.up.weight` is
  /// `to_q` and `lora_up`.
  static func split(_ key: String) -> (module: String, role: AdapterRole)? {
    var parts = key.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    let hasWeight = parts.last == "weight"
    if hasWeight { parts.removeLast() }
    if parts.count > 2, parts.suffix(2) == ["lora_B", "bias"] {
      return (parts.dropLast(2).joined(separator: "."), AdapterRole(name: "diff_b"))
    }
    // PEFT puts the adapter's name between the factor's and `weight`.
    if parts.count > 2, peft[parts[parts.count - 2]] != nil, peft[parts[parts.count - 1]] == nil {
      parts.removeLast()
    }
    guard let last = parts.last else { return nil }
    if let role = peft[last] ?? plain[last] {
      return (parts.dropLast().joined(separator: "."), AdapterRole(name: role))
    }
    guard last == "down" || last == "up", parts.count > 1 else { return nil }
    let role = AdapterRole(name: "lora_\(last)")
    parts.removeLast()
    guard let holder = parts.popLast() else { return nil }
    if holder == "lora" || holder == "lora_linear_layer" {
      return (parts.joined(separator: "."), role)
    }
    // Attention processors of early diffusers: `attn1.processor.to_out_lora`.
    guard holder.hasSuffix("_lora") else { return nil }
    if parts.last == "processor" { parts.removeLast() }
    let module = String(holder.dropLast("_lora".count))
    return ((parts + [module == "to_out" ? "to_out.0" : module]).joined(separator: "."), role)
  }

  private static let peft = [
    "lora_A": "lora_down", "lora_B": "lora_up", "lora_magnitude_vector": "magnitude",
  ]
  private static let plain: [String: String] = Dictionary(
    uniqueKeysWithValues: [
      "lora_down", "lora_up", "lora_mid", "alpha", "dora_scale", "diff", "diff_b", "hada_w1_a",
      "hada_w1_b", "hada_w2_a", "hada_w2_b", "hada_t1", "hada_t2", "lokr_w1", "lokr_w1_a",
      "lokr_w1_b", "lokr_w2", "lokr_w2_a", "lokr_w2_b", "lokr_t2", "oft_blocks", "oft_diag", "a1",
      "a2", "b1", "b2", "on_input", "set_weight", "w_norm", "b_norm",
    ].map { ($0, $0) })
}
