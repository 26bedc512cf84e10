import Testing

@testable import ItoTensors

@Suite struct PictureKernelsTests {
  private func bytes(_ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: ($0 &* 2_654_435_761) >> 7) }
  }

  @Test("The checksum sees any change of a byte, and the length")
  func checksumSensitivity() {
    for count in [0, 1, 7, 8, 63, 64, 65, 200] {
      let base = bytes(count)
      let sum = base.withUnsafeBytes { checksum($0) }
      #expect((base + [0]).withUnsafeBytes { checksum($0) } != sum)
      for i in 0..<count {
        var changed = base
        changed[i] ^= 0x80
        #expect(changed.withUnsafeBytes { checksum($0) } != sum)
      }
    }
  }

  @Test("The checksum is the same for any number of threads and instruction set")
  func checksumIsPortable() {
    let data = bytes((9 << 20) + 13)
    let threads = Runtime.threads
    let level = Runtime.instructionSet
    defer {
      Runtime.threads = threads
      Runtime.instructionSet = level
    }
    var sums: Set<UInt64> = []
    for threads in [1, 2, 5] {
      for level in Runtime.InstructionSet.allCases {
        Runtime.threads = threads
        Runtime.instructionSet = level
        sums.insert(data.withUnsafeBytes { checksum($0) })
      }
    }
    #expect(sums.count == 1)
    var swapped = data
    let places = (5, (5 << 20) + 77)
    #expect(swapped[places.0] != swapped[places.1])
    swapped.swapAt(places.0, places.1)
    #expect(!sums.contains(swapped.withUnsafeBytes { checksum($0) }))
  }
}
