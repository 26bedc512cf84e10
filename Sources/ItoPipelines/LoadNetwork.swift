import ItoCheckpoints
import ItoComponents
import ItoModels
import ItoModules
import ItoTensors

/// Builds the network a manifest describes and loads its weights, strictly.
func loadNetwork(
  folder: String, _ manifest: ModelManifest,
  _ build: (JSONValue, inout ParameterInitializer) throws(ModelError) -> any RegisteredBackbone
) throws(PipelineError) -> any RegisteredBackbone {
  var initial = ParameterInitializer.placeholder
  let network = try wrapping(PipelineError.model) { () throws(ModelError) in
    try build(manifest.network, &initial)
  }
  return try loaded(network, from: folder + "/" + manifest.weights)
}

private func loaded<B: RegisteredBackbone>(
  _ network: B, from file: String
) throws(PipelineError) -> any RegisteredBackbone { try loadWeights(network, from: file) }

/// `module` with the weights in `file`, all of them finite.
///
/// - Parameters:
///   - keys: where a file with the given keys has the parameters.
///   - unused: which of the file's tensors may be left over.
func loadWeights<M: Module>(
  _ module: M, from file: String, unused: UnusedKeys = .fail,
  keys: (Set<String>) -> KeyMap = { _ in .identity }
) throws(PipelineError) -> M {
  var module = module
  try wrapping(PipelineError.checkpoint) { () throws(CheckpointError) in
    let stored = try SafeTensors(path: file)
    let source = try RowQuantizedSource(stored)
    _ = try module.load(
      from: source, keys: keys(source.keys), unused: unused, checksFinite: true)
    // What was decoded is not read again.
    if source.keys.count < stored.keys.count {
      for file in stored.mappedFiles { file.releasePages() }
    }
  }
  return module
}
