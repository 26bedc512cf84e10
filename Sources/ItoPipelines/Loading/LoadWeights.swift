import ItoCheckpoints
import ItoModules
import ItoTensors

/// `module` with the tensors of `source`, all of them used and none missing.
///
/// Matrices become `dtype`; those that the file has in that type, or in half precision to be widened when
/// they are used, stay mapped. What is read here must be finite. What stays mapped is looked at when a layer
/// first uses it (see `OpenStage.finish`), since looking at it here would read every page of a large file.
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
      _ = try module.load(
        from: source, keys: keys, dtype: .computing(dtype), unused: unused, checksFinite: true)
    }
    return module
  }
  return try load(source)
}
