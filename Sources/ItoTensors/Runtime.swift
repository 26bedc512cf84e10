import ItoCKernels

/// The process-wide run time: threads, instruction set, memory in use.
public enum Runtime {
  /// Threads that kernels fan out on. Starts at `ITO_THREADS`, else the processors available.
  public static var threads: Int {
    get { Int(ito_threads()) }
    set { ito_set_threads(Int32(max(1, newValue))) }
  }

  /// Instruction-set levels, each including the ones before it.
  public enum InstructionSet: Int32, Sendable, CaseIterable {
    case portable = 0
    case avx2 = 1
    case avx512 = 2
    case avx512BF16 = 3
  }

  /// The level in use. Setting one above what the processor has is clamped to it.
  public static var instructionSet: InstructionSet {
    get { InstructionSet(rawValue: ito_isa()) ?? .portable }
    set { _ = ito_set_isa(newValue.rawValue) }
  }

  /// The best level this processor offers.
  public static var availableInstructionSet: InstructionSet {
    InstructionSet(rawValue: ito_isa_available()) ?? .portable
  }

  /// Whether products of bfloat16 pairs are used: where the processor has them and they are quicker than those of float32
  /// numbers, which is measured once (`ITO_BF16_PAIRS` says it instead). Else bfloat16 is multiplied in float32.
  public static var usesBF16Pairs: Bool {
    get { ito_bf16_pairs_pay() != 0 }
    set { ito_set_bf16_pairs_pay(newValue ? 1 : 0) }
  }

  /// The largest tile of outputs that 3×3 convolutions compute at once by minimal filtering
  /// (Winograd) where that is quicker: 4, 2, or 0 for never. Starts at `ITO_WINOGRAD`, else 4.
  ///
  /// Relative RMS error against double precision below 1e-5 for 4 and 2e-6 for 2, where a plain sum
  /// has about 2e-6 (unit-normal data, up to 2560 channels); in pairs of bfloat16 below 1.5e-2 for 4,
  /// which only denoisers take there, and 6e-3 for 2.
  ///
  /// - Source: Lavin & Gray 2016, arXiv:1509.09308, sections 4.1 to 4.3.
  public static var winogradTile: Int {
    get { Int(ito_winograd_limit()) }
    set { ito_set_winograd_limit(Int32(clamping: newValue)) }
  }

  /// Whether kept matrices may multiply the rows of a sample with seven products of blocks in place of eight (Strassen) where
  /// that is quicker. Starts as `ITO_STRASSEN`, 0 for never, else true.
  ///
  /// Relative RMS error below 4·2⁻⁹ in pairs of bfloat16, √k·2⁻²⁵ in float32 for sums of k terms (unit-normal data).
  ///
  /// - Source: Strassen 1969, Numerische Mathematik 13.
  public static var usesStrassen: Bool {
    get { ito_strassen_allowed() != 0 }
    set { ito_set_strassen(newValue ? 1 : 0) }
  }

  /// Bytes of tensor memory.
  public struct Memory: Sendable, Hashable {
    /// Bytes in tensors now.
    public var inUse: Int
    /// The most since `resetPeak`.
    public var peak: Int
    /// Bytes kept for reuse.
    public var cached: Int
    /// Blocks ever obtained from the system.
    public var systemAllocations: Int
  }

  /// Tensor memory now.
  public static var memory: Memory {
    let s = ito_alloc_statistics()
    return Memory(
      inUse: s.bytes_in_use, peak: s.peak_bytes_in_use, cached: s.bytes_cached,
      systemAllocations: Int(s.system_allocations))
  }

  /// Starts a new peak measurement.
  public static func resetPeak() { ito_alloc_reset_peak() }

  /// Gives memory kept for reuse back to the system.
  public static func trim() { ito_alloc_trim() }
}
