/// What is wrong with a pickle.
enum PickleFault: Error {
  /// It breaks the rules of its format.
  case broken(String)
  /// It asks for something that is not needed to describe tensors.
  case refused(String)

  /// The fault as an error about `file`.
  func error(_ file: String) -> CheckpointError {
    switch self {
    case .broken(let reason): .corrupt(file: file, reason: reason)
    case .refused(let wanted):
      .unsupported(
        file: file,
        reason:
          "its pickle asks for \(wanted), which a checkpoint has no need of. It was not run, and "
          + "nothing in the file was. Do not open this file with other programs; get the model as "
          + "safetensors, or from someone you trust")
    }
  }
}
