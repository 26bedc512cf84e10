import ItoModules
import ItoTensors

extension AdapterMethod {
  /// LoKr: a Kronecker product of two matrices, each whole or of low rank itself. α counts only when
  /// one of them is of low rank.
  public static let kronecker = AdapterMethod(
    name: "LoKr",
    marks: ["lokr_w1", "lokr_w1_a", "lokr_w1_b", "lokr_w2", "lokr_w2_a", "lokr_w2_b"],
    make: { parts throws(AdapterFault) in
      let left = try factor(parts, "1")
      let right = try factor(parts, "2")
      guard left.matrix.shape[1] * right.matrix.shape[1] == parts.columns else {
        throw AdapterFault(
          "has factors of \(left.matrix.shape) and \(right.matrix.shape) for a weight of "
            + "\(parts.weight)")
      }
      let scale = (right.rank ?? left.rank).map { parts.scale(rank: $0) } ?? 1
      return .matrix(KroneckerDelta(left: left.matrix, right: right.matrix, scale: scale))
    })

  /// A factor as a matrix, and its rank when it is a product.
  private static func factor(
    _ parts: AdapterParts, _ number: String
  ) throws(AdapterFault) -> (matrix: Tensor, rank: Int?) {
    if let whole = parts.tensors["lokr_w\(number)"] {
      return (try AdapterParts.matrix(whole).cast(to: .float32), nil)
    }
    let (a, b) = (try parts("lokr_w\(number)_a"), try parts("lokr_w\(number)_b"))
    let (up, down): (Tensor, Tensor)
    if number == "2", let core = parts.tensors["lokr_t2"] {
      guard a.shape.rank == 2 else { throw AdapterFault("has a factor of shape \(a.shape)") }
      (up, down) = (a.permuted(1, 0), try AdapterParts.contracted(core, with: b))
    } else {
      (up, down) = (try AdapterParts.matrix(a), try AdapterParts.matrix(b))
    }
    guard up.shape[1] == down.shape[0] else {
      throw AdapterFault("has factors of ranks \(down.shape[0]) and \(up.shape[1])")
    }
    return (LowRankDelta(down: down, up: up, scale: 1).dense(), b.shape[0])
  }
}
