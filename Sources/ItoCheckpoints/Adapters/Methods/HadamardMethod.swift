import ItoModules
import ItoTensors

extension AdapterMethod {
  /// LoHa: the elementwise product of two changes of low rank.
  public static let hadamard = AdapterMethod(
    name: "LoHa", marks: ["hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b"],
    make: { parts throws(AdapterFault) in
      let rank = try parts("hada_w1_b").shape[0]
      let first = try half(parts, "1", scale: parts.scale(rank: rank))
      let second = try half(parts, "2", scale: 1)
      guard
        first.up.shape[0] == second.up.shape[0] && first.down.shape[1] == second.down.shape[1]
      else { throw AdapterFault("has two halves of different shapes") }
      return .matrix(HadamardDelta(first, second))
    })

  /// One of the changes. In Tucker form its first factor is `[rank, out]`.
  private static func half(
    _ parts: AdapterParts, _ number: String, scale: Double
  ) throws(AdapterFault) -> LowRankDelta {
    let (a, b) = (try parts("hada_w\(number)_a"), try parts("hada_w\(number)_b"))
    let (up, down): (Tensor, Tensor)
    if let core = parts.tensors["hada_t\(number)"] {
      guard a.shape.rank == 2 else { throw AdapterFault("has a factor of shape \(a.shape)") }
      (up, down) = (a.permuted(1, 0), try AdapterParts.contracted(core, with: b))
    } else {
      (up, down) = (try AdapterParts.matrix(a), try AdapterParts.matrix(b))
    }
    guard up.shape[1] == down.shape[0] else {
      throw AdapterFault("has factors of ranks \(down.shape[0]) and \(up.shape[1])")
    }
    return LowRankDelta(down: down, up: up, scale: scale)
  }
}
