import ItoComponents
import ItoTensors
import ItoTestSupport
import Testing

@testable import ItoTraining

@Suite struct NoisePairingTests {
  /// The least cost by trying every assignment.
  private func least(_ costs: [Double], _ size: Int, row: Int = 0, used: Int = 0) -> Double {
    if row == size { return 0 }
    return (0..<size).filter { used & (1 << $0) == 0 }.map {
      costs[row * size + $0] + least(costs, size, row: row + 1, used: used | 1 << $0)
    }.min() ?? 0
  }

  @Test("The assignment is the cheapest of all, ties included", arguments: 1...7)
  func assignment(size: Int) {
    var generator = SplitMix64(seed: UInt64(size))
    for round in 0..<20 {
      let costs = (0..<(size * size)).map { _ in
        round % 2 == 0
          ? Double.random(in: -3...3, using: &generator)
          : Double(Int.random(in: 0..<4, using: &generator))
      }
      let columns = linearAssignment(costs: costs, size: size)
      #expect(Set(columns).count == size)
      let cost = columns.enumerated().reduce(0) { $0 + costs[$1.offset * size + $1.element] }
      #expect(abs(cost - least(costs, size)) < 1e-9)
    }
  }

  @Test("Immiscible noise is the same noise, nearer to the samples")
  func immiscible() {
    let clean = randomTensor([12, 3, 3, 2], seed: 1), noise = randomTensor([12, 3, 3, 2], seed: 2)
    let paired = ImmiscibleNoise().paired(noise, with: clean)
    func rows(_ x: Tensor) -> [[Float]] { (0..<12).map { x.indexed($0, axis: 0).scalars } }
    #expect(Set(rows(paired)) == Set(rows(noise)))
    func distance(_ x: Tensor) -> Float { ((x - clean) * (x - clean)).sum().item }
    #expect(distance(paired) < distance(noise))
    // Noise that is the samples in another order finds them.
    let order = Tensor((0..<12).map { Int64(($0 * 5 + 3) % 12) }, shape: [12])
    #expect(
      ImmiscibleNoise().paired(clean.indexSelected(order), with: clean).scalars == clean.scalars)
  }

  @Test("Every pairing keeps shape and values", arguments: Registry<any NoisePairing>.builtin.names)
  func registered(name: String) throws {
    let pairing = try Registry<any NoisePairing>.builtin.make(name)
    for count in [1, 2, 5] {
      let clean = randomTensor([count, 4], seed: 1), noise = randomTensor([count, 4], seed: 2)
      let paired = pairing.paired(noise, with: clean)
      #expect(paired.shape == noise.shape)
      #expect(paired.scalars.sorted() == noise.scalars.sorted())
    }
  }
}
