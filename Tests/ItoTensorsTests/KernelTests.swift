import ItoTensors
import Testing

/// Tests that run kernels at every instruction-set level. The level is the process's, so the suites
/// inside run one after the other.
@Suite("Kernels at every instruction set", .serialized) struct KernelTests {}

/// Runs `body` once per level the processor has, and puts the best one back.
func atEveryInstructionSet(_ body: (Runtime.InstructionSet) throws -> Void) rethrows {
  defer { Runtime.instructionSet = Runtime.availableInstructionSet }
  for level in Runtime.InstructionSet.allCases
  where level.rawValue <= Runtime.availableInstructionSet.rawValue {
    Runtime.instructionSet = level
    try body(level)
  }
}

/// The values as the nearest bfloat16s, to feed a reference the inputs a kernel really gets.
func roundedToBFloat16(_ x: Tensor) -> [Float] { x.cast(to: .bfloat16).scalars }
