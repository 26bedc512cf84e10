import ItoCheckpoints
import ItoModules
import ItoTensors

/// `module` with the tensors of `source`, all of them used and none missing.
///
/// Matrices become `dtype`; those that the file has in that type stay mapped. Infinite numbers are found
/// when a run meets them, not here, where looking for them would read every page of a large file.
///
/// - Parameters:
///   - keys: where each parameter is.
///   - unused: which tensors may be left over.
func loadWeights<M: Module>(
  _ module: M, from source: any TensorSource, keys: KeyMap = .identity, dtype: DType,
  unused: UnusedKeys = .fail
) throws(PipelineError) -> M {
  func load(_ source: some TensorSource) throws(PipelineError) -> M {
    var module = module
    try wrapping(PipelineError.checkpoint) { () throws(CheckpointError) in
      _ = try module.load(from: source, keys: keys, dtype: .matrices(dtype), unused: unused)
    }
    return module
  }
  return try load(source)
}
