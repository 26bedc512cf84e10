import ArgumentParser
import ItoTensors

/// Options every command has.
struct SharedOptions: ParsableArguments {
  @Option(help: "Threads to compute on (default: ITO_THREADS, else every processor).")
  var threads: Int?

  @Flag(help: "Print results as JSON, one object a line, and no progress.")
  var json = false

  mutating func validate() throws {
    if let threads, !(1...4096).contains(threads) {
      throw ValidationError("--threads \(threads): give a number from 1 to 4096.")
    }
  }

  /// Puts the options into effect.
  func apply() {
    if let threads { Runtime.threads = threads }
  }
}
