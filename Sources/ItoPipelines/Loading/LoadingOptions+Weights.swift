import ItoCheckpoints

extension LoadingOptions {
  /// The tensors of a part, added to `opened`. Where memory is to be spared, their pages are given back after
  /// each use.
  func weights(
    of component: ModelComponent, _ opened: inout [any TensorSource]
  ) throws(PipelineError) -> any TensorSource {
    let source = try component.weights()
    for file in source.mappedFiles {
      // What is streamed keeps no packed forms.
      if isStreamed {
        file.releasesAfterUse = true
      } else {
        packedCache?.attach(to: file)
      }
    }
    opened.append(source)
    return source
  }
}
