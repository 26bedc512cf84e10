import ItoCKernels

/// Which half of a gated linear unit's last axis goes through the activation.
public enum GateHalf: Sendable, Hashable {
  /// `act(first) · second`, as in Llama's and Phi's fused gate-and-up projection.
  case first
  /// `first · act(second)`, as in diffusers' `hidden, gate = chunk(2)`.
  case second
}

extension Tensor {
  /// `hidden · gelu(gate)` of the two halves of the last axis, hidden first (diffusers' `GEGLU`).
  ///
  /// - Shapes: `[…, 2n]` → `[…, n]`.
  /// - Source: Shazeer 2020, *GLU variants improve transformer*, arXiv:2002.05202.
  public func geglu() -> Tensor { gated(Int(ITO_UNARY_GELU), .second) }

  /// `hidden · silu(gate)` of the two halves of the last axis.
  ///
  /// - Parameter gate: the half that is the gate. Llama's order, gate first, unless told otherwise;
  ///   diffusers' `SwiGLU` has it second.
  /// - Shapes: `[…, 2n]` → `[…, n]`.
  /// - Source: Shazeer 2020, *GLU variants improve transformer*, arXiv:2002.05202.
  public func swiGLU(gate: GateHalf = .first) -> Tensor { gated(Int(ITO_UNARY_SILU), gate) }

  private func gated(_ op: Int, _ gate: GateHalf) -> Tensor {
    require(
      dtype.isFloatingPoint && shape.rank > 0 && shape[-1] % 2 == 0,
      "a gated linear unit halves the last axis of floating-point values, not \(dtype) \(shape)")
    if dtype == .float16 { return cast(to: .float32).gated(op, gate).cast(to: .float16) }
    let n = shape[-1] / 2
    let rows = shape.dims.dropLast().reduce(1, *)
    let first: Int32 = gate == .first ? 1 : 0
    var half = shape
    half[-1] = n
    let result = reading(self) { x in
      Tensor(building: half, dtype: dtype) { out in
        ito_gated(Int32(op), x, out, dtype.rawValue, Int64(rows), Int64(n), first)
      }
    }
    return result.recorded(from: [self]) { [x = detached()] g in
      [
        reading(x, g) { p, g in
          Tensor(building: x.shape, dtype: x.dtype) { dx in
            ito_gated_gradient(
              Int32(op), p, g, dx, x.dtype.rawValue, Int64(rows), Int64(n), first)
          }
        }
      ]
    }
  }
}
