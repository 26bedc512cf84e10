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
