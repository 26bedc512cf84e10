import ItoCKernels
import ItoTensors
import Testing

@Suite("Counter-based noise", .serialized)
struct PhiloxNoiseTests {
  /// The known answers that Random123 publishes with the generator.
  @Test(
    "known answers",
    arguments: [
      (0, [0, 0, 0, 0], [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]),
      (
        UInt64.max, [.max, .max, .max, .max], [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]
      ),
      (
        0x299f_31d0_a409_3822, [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
        [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
      ),
    ] as [(UInt64, [UInt32], [UInt32])])
  func knownAnswers(_ key: UInt64, _ counter: [UInt32], _ expected: [UInt32]) {
    var out = [UInt32](repeating: 0, count: 4)
    ito_philox(key, counter, &out)
    #expect(out == expected)
  }

  @Test func cudaLayout() {
    var noise = NoiseSource(seed: 0, engine: .cuda)
    let drawn = noise.normal([4]).scalars
    for (value, expected) in zip(
      drawn, [-0.92466259, -0.42534415, -2.6438457, 0.14518388] as [Float])
    {
      #expect(abs(value - expected) < 1e-7)
    }
    // One offset a call, one counter an element: a longer draw begins with a shorter one.
    var other = NoiseSource(seed: 0, engine: .cuda)
    #expect(Array(other.normal([4000]).scalars.prefix(4)) == drawn)
    #expect(other.normal([4]).scalars == noise.normal([4]).scalars)
    #expect(noise.uniform([1000]).scalars.allSatisfy { $0 >= 0 && $0 < 1 })
  }

  @Test func everyInstructionSetDrawsTheSame() {
    let before = Runtime.instructionSet
    defer { Runtime.instructionSet = before }
    let drawn = Runtime.InstructionSet.allCases.map { level in
      Runtime.instructionSet = level
      var noise = NoiseSource(seed: 3, engine: .philox)
      return noise.normal([2003]).digest + noise.uniform([77]).digest
    }
    #expect(Set(drawn).count == 1)
    // Checked in, so that a run resumes on another machine and another version.
    #expect(drawn[0] == "94c3e66b17012cf4e47dc89a5aa38dc6")
  }

  @Test func normalsAreNormal() {
    var noise = NoiseSource(seed: 11, engine: .philox)
    let count = 1 << 20
    let values = noise.normal([count]).scalars.map(Double.init)
    func moment(_ p: Int) -> Double {
      values.reduce(0) { sum, x in sum + (0..<p).reduce(1.0) { power, _ in power * x } }
        / Double(count)
    }
    // Five standard errors of each moment's estimate.
    let error = 5 / Double(count).squareRoot()
    #expect(abs(moment(1)) < error)
    #expect(abs(moment(2) - 1) < error * 2.0.squareRoot())
    #expect(abs(moment(3)) < error * 15.0.squareRoot())
    #expect(abs(moment(4) - 3) < error * 96.0.squareRoot())
    let far = Double(values.count { abs($0) > 3 }) / Double(count)
    #expect(abs(far - 0.0026998) < 5 * (0.0027 / Double(count)).squareRoot())
    // Neither neighbours nor the two values of a pair are correlated.
    for lag in [1, 8, 16, 32] {
      let products = zip(values, values.dropFirst(lag)).reduce(0) { $0 + $1.0 * $1.1 }
      #expect(abs(products / Double(count)) < error)
    }
  }

  @Test func uniformsFillTheirRange() {
    var noise = NoiseSource(seed: 5, engine: .philox)
    let values = noise.uniform([160_000]).scalars
    var bins = [Double](repeating: 0, count: 16)
    for value in values {
      #expect(value >= 0 && value < 1)
      bins[Int(value * 16)] += 1
    }
    // χ² with 15 degrees of freedom: 1 in 10⁵ above 49.
    let chiSquared = bins.reduce(0) { $0 + ($1 - 10_000) * ($1 - 10_000) / 10_000 }
    #expect(chiSquared < 49)
    let scalars = (0..<1000).map { _ in noise.uniform() }
    #expect(scalars.allSatisfy { $0 >= 0 && $0 < 1 } && Set(scalars).count == 1000)
  }

  @Test func integersAreEvenAndInRange() {
    var noise = NoiseSource(seed: 8, engine: .philox)
    var counts = [Int](repeating: 0, count: 7)
    for value in noise.integers(below: 7, count: 70_000) { counts[value] += 1 }
    #expect(counts.allSatisfy { abs($0 - 10_000) < 500 })
    #expect(noise.integer(below: 1) == 0)
    #expect(noise.integers(below: .max, count: 100).allSatisfy { $0 >= 0 })
    #expect(noise.permutation(1000).sorted() == Array(0..<1000))
    #expect(noise.permutation(1000) != noise.permutation(1000))
    #expect(noise.permutation(0) == [])
  }

  @Test func streamsDependOnTheirNumberOnly() {
    let noise = NoiseSource(seed: 1, engine: .philox)
    var used = noise
    _ = used.normal([100])
    #expect(noise.stream(7) == used.stream(7))
    var seen: Set<[Float]> = []
    for i in 0..<50 {
      for var stream in [noise.stream(UInt64(i)), noise.stream(3).stream(UInt64(i))] {
        seen.insert(stream.normal([8]).scalars)
      }
    }
    #expect(seen.count == 100)
    // The torch convention: image k of seed s is image 0 of seed s + k.
    #expect(NoiseSource(seed: 40).stream(2) == NoiseSource(seed: 42))
  }
}
