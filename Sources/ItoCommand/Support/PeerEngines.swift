import ItoComponents

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// What one part of drawing took, here or in another engine.
struct PartTiming {
  var part: String, precision: String
  /// Wall time, and time of all processors.
  var best: Double, median: Double, processor: Double
  /// Megabytes (10⁶ bytes).
  var peak: Double?

  /// What another engine printed; nil for a line that is something else.
  init?(_ line: String) {
    guard let json = try? JSONValue.parse(Array(line.utf8)),
      let part = json["part"]?.string, let precision = json["precision"]?.string,
      let best = json["seconds_best"]?.double, let median = json["seconds_median"]?.double,
      let processor = json["cpu_seconds_best"]?.double
    else { return nil }
    (self.part, self.precision, self.best) = (part, precision, best)
    (self.median, self.processor, peak) = (median, processor, json["peak_rss_mb"]?.double)
  }

  init(part: String, precision: String, wall: [Double], processor: [Double], peak: Double?) {
    let sorted = wall.sorted()
    (self.part, self.precision, self.peak) = (part, precision, peak)
    best = sorted.first ?? .nan
    median = sorted.isEmpty ? .nan : sorted[sorted.count / 2]
    self.processor = processor.min() ?? .nan
  }

  /// As a JSON line, of another engine when `peer` names it.
  func json(peer: String? = nil) -> JSONObject {
    var line: JSONObject = [
      "part": .string(part), "precision": .string(precision), "seconds_best": .double(best),
      "seconds_median": .double(median), "cpu_seconds_best": .double(processor),
      "peak_rss_mb": peak.map { JSONValue.double($0) } ?? JSONValue.null,
    ]
    if let peer { line["peer"] = .string(peer) }
    return line
  }

  /// Times over those of `other`; below 1 is quicker here.
  func ratio(to other: PartTiming, peer: String) -> JSONObject {
    var line: JSONObject = [
      "ratio_to": .string(peer), "part": .string(part), "precision": .string(precision),
      "seconds": .double(best / other.best), "cpu_seconds": .double(processor / other.processor),
    ]
    if let peak, let theirs = other.peak { line["peak_rss"] = .double(peak / theirs) }
    return line
  }
}

/// Other engines that draw with the same files, timed by `Benchmarks/peers/model_peer.py`.
struct PeerEngines {
  /// The engines that script knows.
  static let known = ["torch", "openvino"]

  let python: String, script: String

  /// The Python that ITO_PEERS_PYTHON names, or that of the environment `Benchmarks/peers/setup.sh` makes,
  /// with the script in `Benchmarks/peers` below the working directory or above the program.
  init() throws {
    let folders =
      ["Benchmarks/peers"] + ModelLocator.foldersAboveProgram.map { $0 + "/Benchmarks/peers" }
    guard let folder = folders.first(where: { ModelLocator.isFile($0 + "/model_peer.py") }) else {
      throw CommandFailure(
        "--against needs Benchmarks/peers/model_peer.py of Itô's sources, which is neither below the working "
          + "directory nor above the program. Run it from a checkout.")
    }
    script = folder + "/model_peer.py"
    if let named = getenv("ITO_PEERS_PYTHON") {
      python = String(cString: named)
    } else {
      python = folder + "/.venv/bin/python"
      guard access(python, X_OK) == 0 else {
        throw CommandFailure(
          "--against needs the other engines. Run \(folder)/setup.sh, which installs them there, or name a Python "
            + "that has them in ITO_PEERS_PYTHON.")
      }
    }
  }

  /// Times the parts of the model in `folder` in `engine`.
  func time(
    _ engine: String, folder: String, size: (width: Int, height: Int)?, batch: Int,
    precision: String, threads: Int, rounds: Int, each: (PartTiming) throws -> Void
  ) throws {
    var arguments = [
      python, script, engine, folder, "--batch", "\(batch)", "--precision", precision, "--threads",
      "\(threads)", "--rounds", "\(rounds)",
    ]
    if let size { arguments += ["--size", "\(size.width)", "\(size.height)"] }
    let status = try ChildProcess.run(arguments) { line in
      if let timing = PartTiming(line) { try each(timing) }
    }
    guard status == 0 else {
      throw CommandFailure(
        "\(engine) ended with status \(status) (its message is above). The command was: "
          + arguments.joined(separator: " "))
    }
  }
}
