import ItoTraining
import Testing

@Suite struct PermutationTests {
  @Test(
    "Every element comes up once",
    arguments: [1, 2, 3, 4, 5, 15, 16, 17, 100, 255, 256, 257, 1000, 4097, 60_000])
  func bijection(count: Int) {
    for seed in [0, 1, UInt64.max] {
      let order = Permutation(count: count, seed: seed, epoch: 3)
      #expect(Set((0..<count).map { order[$0] }) == Set(0..<count))
    }
  }

  @Test("The order depends on the seed and the epoch, and on nothing else")
  func function() {
    func order(_ seed: UInt64, _ epoch: Int) -> [Int] {
      let permutation = Permutation(count: 100, seed: seed, epoch: epoch)
      return (0..<100).map { permutation[$0] }
    }
    #expect(order(1, 0) == order(1, 0))
    let all = [order(1, 0), order(1, 1), order(2, 0), order(2, 1)]
    #expect(Set(all).count == 4)
  }

  @Test("Over many epochs each element is as likely as another at each place")
  func uniform() {
    // 10 elements, 10 places, 5000 epochs: 81 degrees of freedom; 99.99 % of draws stay below 136.
    let (count, epochs) = (10, 5000)
    var seen = [Double](repeating: 0, count: count * count)
    for epoch in 0..<epochs {
      let order = Permutation(count: count, seed: 11, epoch: epoch)
      for place in 0..<count { seen[place * count + order[place]] += 1 }
    }
    let expected = Double(epochs) / Double(count)
    let statistic = seen.reduce(0) { $0 + ($1 - expected) * ($1 - expected) / expected }
    #expect(statistic < 136)
  }

  @Test("Neighbours in one epoch are not neighbours in the set")
  func spread() {
    let count = 10_000
    let order = Permutation(count: count, seed: 5, epoch: 0)
    let near = (1..<count).count { abs(order[$0] - order[$0 - 1]) <= 10 }
    // About 20 by chance.
    #expect(near < 60)
  }
}
