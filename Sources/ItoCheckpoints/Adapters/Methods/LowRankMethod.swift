import ItoModules
import ItoTensors

extension AdapterMethod {
  /// LoRA, and LoCon for convolutions: two factors, with a third in the middle in Tucker form.
  ///
  /// The middle one is taken into the first, which gives the same kernel: a convolution of
  /// `height × width` to `rank` channels.
  public static let lowRank = AdapterMethod(
    name: "LoRA", marks: ["lora_down", "lora_up", "lora_mid"],
    make: { parts throws(AdapterFault) in
      let up = try AdapterParts.matrix(try parts("lora_up"))
      let given = try parts("lora_down")
      let down: Tensor
      if let middle = parts.tensors["lora_mid"] {
        down = try AdapterParts.contracted(middle, with: given)
      } else {
        down = try AdapterParts.matrix(given)
      }
      guard up.shape[1] == down.shape[0] else {
        throw AdapterFault("has factors of ranks \(down.shape[0]) and \(up.shape[1])")
      }
      return .lowRank(LowRankDelta(down: down, up: up, scale: parts.scale(rank: down.shape[0])))
    })
}
