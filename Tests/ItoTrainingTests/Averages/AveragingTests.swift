import ItoComponents
import ItoTensors
import Testing

@testable import ItoTraining

#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

@Suite struct AveragingTests {
  @Test(
    "The length of a power profile is the deviation of its weights", arguments: [0.05, 0.1, 0.2])
  func length(length: Double) throws {
    let profile = PowerProfile(length: length)
    // Weights of the models of updates 1…n, by running the recursion.
    let count = 20_000
    var weights = [Double](repeating: 0, count: count)
    var kept = 1.0
    for update in (1...count).reversed() {
      let decay = profile.decay(at: update)
      weights[update - 1] = kept * (1 - decay)
      kept *= decay
    }
    #expect(abs(weights.reduce(0, +) - 1) < 1e-12)
    let mean = weights.enumerated().reduce(0) { $0 + Double($1.offset + 1) * $1.element }
    let variance = weights.enumerated().reduce(0) {
      $0 + (Double($1.offset + 1) - mean) * (Double($1.offset + 1) - mean) * $1.element
    }
    #expect(abs(variance.squareRoot() / Double(count) - length) < 1e-4)
  }

  @Test("Powers that the paper names")
  func exponents() {
    // Karras et al. 2024, section 3.2: lengths 0.05 and 0.10 are γ = 16.97 and 6.94.
    #expect(abs(PowerProfile(length: 0.05).exponent - 16.97) < 0.005)
    #expect(abs(PowerProfile(length: 0.10).exponent - 6.94) < 0.005)
    #expect(PowerProfile(length: PowerProfile.longest - 1e-9).exponent < 1e-3)
  }

  @Test("The first update of a power profile forgets the start; an exponential one warms up")
  func starts() {
    #expect(PowerProfile(length: 0.1).decay(at: 1) == 0)
    #expect(ExponentialProfile(decay: 0.99).decay(at: 1) == 0.1)
    #expect(ExponentialProfile(decay: 0.99).decay(at: 100_000) == 0.99)
    #expect(ExponentialProfile(decay: 0.99, warmsUp: false).decay(at: 1) == 0.99)
  }

  /// What a run of models 1, 2, … would average to, for weights that move slowly and jump once.
  private func model(_ update: Int) -> Double {
    let t = Double(update) / 4000
    return sin(5 * t) + t * t - (update > 1500 ? 0.7 : 0)
  }

  @Test("Averages of other lengths come out of saved ones", arguments: [0.06, 0.08, 0.12, 0.15])
  func reconstruction(length: Double) {
    let profiles = [PowerProfile(length: 0.05), PowerProfile(length: 0.1)]
    let wanted = PowerProfile(length: length)
    var running = [0.0, 0.0], exact = 0.0
    var snapshots: [PostHocAverage.Snapshot] = []
    var values: [Double] = []
    for update in 1...4000 {
      for k in 0..<2 {
        let decay = profiles[k].decay(at: update)
        running[k] = decay * running[k] + (1 - decay) * model(update)
      }
      let decay = wanted.decay(at: update)
      exact = decay * exact + (1 - decay) * model(update)
      if update % 125 == 0 {
        for k in 0..<2 {
          snapshots.append(.init(exponent: profiles[k].exponent, updates: Double(update)))
          values.append(running[k])
        }
      }
    }
    let found = PostHocAverage(
      .init(exponent: wanted.exponent, updates: 4000), from: snapshots)
    let sum = zip(found.coefficients, values).reduce(0) { $0 + $1.0 * $1.1 }
    #expect(abs(found.coefficients.reduce(0, +) - 1) < 0.01)
    #expect(abs(sum - exact) < 0.003, "\(sum) \(exact)")
    // The nearest saved average is not that near.
    #expect(abs(running[1] - exact) > abs(sum - exact))
  }

  @Test("A saved average is found as itself, and later ones are not used")
  func identity() {
    let snapshots = (1...6).map {
      PostHocAverage.Snapshot(exponent: 6.94, updates: Double(100 * $0))
    }
    let found = PostHocAverage(snapshots[3], from: snapshots).coefficients
    for (index, value) in found.enumerated() {
      #expect(abs(value - (index == 3 ? 1 : 0)) < 1e-6)
    }
    #expect(found[4] == 0 && found[5] == 0)
  }

  @Test("A singular system gets a solution all the same")
  func singular() {
    let a = [[2.0, 1, 1], [1, 3, 1], [2, 1, 1]]
    let x = solve(a, [5, 10, 5])
    for (row, b) in zip(a, [5.0, 10, 5]) {
      #expect(abs(zip(row, x).reduce(0) { $0 + $1.0 * $1.1 } - b) < 1e-12)
    }
  }
}
