public import ItoCheckpoints
public import ItoComponents
import ItoModules

/// Why a training run cannot start or go on.
public enum TrainingError: Error, Sendable, Hashable {
  /// The data cannot be used.
  case data(DataError)
  /// A checkpoint cannot be written or read.
  case checkpoint(CheckpointError)
  /// A log or a state file cannot be written or read.
  case file(FileError)
  /// Too many steps in a row had a loss or a gradient that was not finite.
  case diverged(step: Int, inARow: Int, place: NonFinite)
  /// There is nothing to resume from.
  case nothingToResume(folder: String)
  /// The folder holds the checkpoints of another run.
  case folderInUse(folder: String, step: Int)
  /// A checkpoint of a run that was set up differently.
  case incompatible(file: String, reason: String)
  /// A state file that cannot be understood.
  case corrupt(file: String, reason: String)
}

extension TrainingError: CustomStringConvertible {
  /// What was wrong, where, and what to do.
  public var description: String {
    switch self {
    case .data(let error): error.description
    case .checkpoint(let error): error.description
    case .file(let error): error.description
    case .diverged(let step, let count, let place):
      "training diverged: \(place) at step \(step), and \(count) steps in a row had to be skipped. "
        + "Lower the learning rate, lengthen the warm-up or clip gradients harder, and go on from the "
        + "last checkpoint, which is from before this."
    case .nothingToResume(let folder):
      "there is no checkpoint to go on from in '\(folder)'. Start the run without resuming, or check "
        + "the folder."
    case .folderInUse(let folder, let step):
      "'\(folder)' holds a run that has reached step \(step). Resume it, or choose another folder."
    case .incompatible(let file, let reason):
      "'\(file)' belongs to a run that was set up differently: \(reason). Use its configuration, or "
        + "start a new run in another folder."
    case .corrupt(let file, let reason):
      "'\(file)' is damaged: \(reason). Remove it to go on from the checkpoint before it."
    }
  }
}
