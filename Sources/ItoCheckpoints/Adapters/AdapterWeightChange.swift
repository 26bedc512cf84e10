import ItoModules
import ItoTensors

/// What an adapter file says of one weight, checked against its shape.
struct AdapterWeightChange: Sendable {
  /// The change to a matrix; nil for kernels.
  var matrix: (any WeightDelta)?
  /// The change to a kernel; nil for matrices.
  var kernel: (any KernelDelta)?
  /// Added to the bias, `[out]`.
  var bias: Tensor?
  /// Learned lengths of outputs or inputs.
  var magnitude: Tensor?
  /// Whether the lengths are those of inputs.
  var isAlongInput = false

  /// The change of `entry` to a weight of `shape`, `[out, in]` or `[out, in, height, width]`.
  ///
  /// Nil when no method recognises it. What does not fit is noted in `mismatch`.
  init?(
    _ entry: AdapterFile.Entry, for shape: Shape, of file: AdapterFile,
    _ mismatch: inout LoadMismatch, _ path: ModulePath
  ) throws(CheckpointError) {
    var tensors: [String: Tensor] = [:]
    for (role, key) in entry.keys { tensors[role.name] = try file.source.tensor(key) }
    let parts = AdapterParts(tensors: tensors, weight: shape)
    let method = AdapterMethod.builtin.first { !$0.marks.isDisjoint(with: tensors.keys) }
    guard method != nil || tensors["diff_b"] != nil else { return nil }
    func differs(_ found: String) {
      mismatch.different.append(
        .init(
          path: path.description, key: entry.module, expected: "a change to a weight of \(shape)",
          found: found))
    }
    if let method {
      let change: AdapterChange
      do {
        change = try method.make(parts)
      } catch {
        throw .corrupt(
          file: file.origin, reason: "'\(entry.module)' (\(method.name)) \(error.reason)")
      }
      let found = change.matrix.shape
      guard found == [shape[0], parts.columns] else {
        differs("a \(method.name) of one of \(found)")
        return
      }
      set(change, shape)
    }
    if let bias = tensors["diff_b"] {
      guard bias.shape == [shape[0]] else {
        differs("a change to a bias of \(bias.shape)")
        return
      }
      self.bias = bias.cast(to: .float32)
    }
    if let lengths = tensors["magnitude"] ?? tensors["dora_scale"] {
      // PEFT's are those of outputs. LyCORIS writes `[out, 1]` for outputs and `[1, in]` for inputs.
      let isOfOutputs =
        tensors["magnitude"] != nil || lengths.shape.rank < 2 || lengths.shape[0] == shape[0]
      let isAlongInput = !isOfOutputs && lengths.shape.count == shape[1]
      guard lengths.shape.count == (isAlongInput ? shape[1] : shape[0]) else {
        differs("lengths of shape \(lengths.shape)")
        return
      }
      magnitude = lengths.reshaped(to: [lengths.shape.count])
      self.isAlongInput = isAlongInput
    }
  }

  private mutating func set(_ change: AdapterChange, _ shape: Shape) {
    guard shape.rank == 4 else {
      matrix = change.matrix
      return
    }
    let (height, width) = (shape[2], shape[3])
    switch change {
    case .lowRank(let delta):
      let (rank, out) = (delta.down.shape[0], delta.up.shape[0])
      kernel = LowRankKernelDelta(
        down: delta.down.reshaped(to: [rank, shape[1], height, width]).fromPublishedKernel(),
        up: delta.up.reshaped(to: [out, 1, 1, rank]), scale: delta.scale)
    case .matrix(let delta): kernel = MatrixKernelDelta(delta, height: height, width: width)
    }
  }
}

extension AdapterChange {
  var matrix: any WeightDelta {
    switch self {
    case .lowRank(let delta): delta
    case .matrix(let delta): delta
    }
  }
}
