/// The environment variables that choose among kernels, which are read where kernels are and there fall back in silence.
enum KernelSettings {
  private static let values: [(name: String, allowed: [String])] = [
    ("ITO_ISA", ["portable", "avx2", "avx512", "avx512-bf16"]),
    ("ITO_WINOGRAD", ["0", "2", "4"]),
    ("ITO_STRASSEN", ["0", "1"]),
    ("ITO_BF16_PAIRS", ["0", "1"]),
  ]

  /// What is wrong with the first that is not understood; nil when all are. An empty one is as good as none.
  static func complaint(_ variable: (String) -> String?) -> String? {
    func value(_ name: String) -> String? { variable(name).flatMap { $0.isEmpty ? nil : $0 } }
    for (name, allowed) in values {
      guard let value = value(name), !allowed.contains(value) else { continue }
      let choices = allowed.dropLast().joined(separator: ", ") + " or " + allowed[allowed.count - 1]
      return "\(name) is '\(value)' in the environment; it can be \(choices)."
    }
    if let value = value("ITO_THREADS"), (Int32(value) ?? 0) < 1 {
      return "ITO_THREADS is '\(value)' in the environment; it is a number of threads, at least 1."
    }
    return nil
  }
}
