extension CheckpointFormat {
  /// The formats that are recognised, in the order in which they are asked.
  public static let builtin: [CheckpointFormat] = [
    .shardedSafeTensors,
    .safeTensors,
  ]
}
