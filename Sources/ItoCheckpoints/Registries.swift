extension CheckpointFormat {
  /// The formats that are recognised, in the order in which they are asked.
  public static let builtin: [CheckpointFormat] = [
    .shardedSafeTensors,
    .gguf,
    .pickle,
    .safeTensors,
  ]
}

extension AdapterMethod {
  /// The methods whose adapters are read.
  public static let builtin: [AdapterMethod] = [
    .lowRank,
    .hadamard,
    .kronecker,
    .difference,
  ]
}
