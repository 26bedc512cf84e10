import ItoTensors
import ItoTestSupport
import Testing

@Suite("Gather and scatter") struct GatherTests {
  @Test("index select on every axis, every element type", arguments: DType.allCases)
  func indexSelect(_ dtype: DType) {
    let x = exactTensor([4, 5, 7], dtype: dtype, seed: 1)
    let elements = Elements(x)
    for axis in 0..<3 {
      for indexType in [DType.int64, .int32, .uint8] {
        let indices = randomIntegers([9], in: 0..<x.shape[axis], seed: 2, dtype: indexType)
        var shape = x.shape
        shape[axis] = 9
        let expected = naive(shape, dtype: dtype) { index in
          var source = index
          source[axis] = indices.integers[index[axis]]
          return elements[source]
        }
        #expect(mismatch(x.indexSelected(indices, axis: axis), expected) == nil)
        #expect(mismatch(x.indexSelected(indices, axis: axis - 3), expected) == nil)
      }
    }
    #expect(x.indexSelected(Tensor([] as [Int64], shape: [0])).shape == [0, 5, 7])
  }

  @Test("gather on every axis, every element type", arguments: DType.allCases)
  func gather(_ dtype: DType) {
    let x = exactTensor([4, 5, 7], dtype: dtype, seed: 3)
    let elements = Elements(x)
    for axis in 0..<3 {
      var shape = x.shape
      shape[axis] = 6
      let indices = randomIntegers(shape, in: 0..<x.shape[axis], seed: 4)
      let wanted = Elements(indices)
      let expected = naive(shape, dtype: dtype) { index in
        var source = index
        source[axis] = Int(wanted[index])
        return elements[source]
      }
      #expect(mismatch(x.gathered(indices, axis: axis), expected) == nil, "axis \(axis)")
      #expect(mismatch(x.gathered(indices, axis: axis - 3), expected) == nil, "axis \(axis - 3)")
    }
  }

  @Test("scatter-add on every axis", arguments: [DType.float32, .bfloat16, .float16])
  func scatterAdd(_ dtype: DType) {
    let x = exactTensor([4, 5, 7], dtype: dtype, seed: 5)
    for axis in 0..<3 {
      var shape = x.shape
      shape[axis] = 8
      let indices = randomIntegers(shape, in: 0..<x.shape[axis], seed: 6)
      // Multiples of 1/8 whose sums every type holds, so that the order does not matter here.
      let values = (0.125 * exactTensor(shape, dtype: .int8, seed: 7).cast(to: .float32)).cast(
        to: dtype)
      let (index, value) = (Elements(indices), Elements(values))
      var sums = [[Int]: Float]()
      _ = naive(shape) { at in
        var target = at
        target[axis] = Int(index[at])
        sums[target, default: 0] += value[at]
        return 0
      }
      let elements = Elements(x)
      let expected = naive(x.shape, dtype: dtype) { elements[$0] + sums[$0, default: 0] }
      for signed in [axis, axis - 3] {
        let found = x.scatterAdd(values, at: indices, axis: signed)
        #expect(mismatch(found, expected) == nil, "axis \(signed)")
      }
    }
  }

  @Test func embeddings() {
    for dtype in [DType.float32, .bfloat16, .float16] {
      let table = exactTensor([11, 5], dtype: dtype, seed: 8)
      let elements = Elements(table)
      let indices = randomIntegers([3, 4], in: 0..<11, seed: 9, dtype: .int32)
      let wanted = Elements(indices)
      let expected = naive([3, 4, 5], dtype: dtype) { elements[Int(wanted[$0[0], $0[1]]), $0[2]] }
      #expect(mismatch(table.embedding(indices), expected) == nil)

      let (tracked, leaf) = table.tracked()
      let seed = exactTensor([3, 4, 5], dtype: dtype, seed: 10)
      let gradient = tracked.embedding(indices).gradients(seed: seed)[leaf]
      let g = Elements(seed)
      let sums = naive([11, 5]) { at in
        (0..<12).reduce(0) { sum, k in
          Int(wanted[k / 4, k % 4]) == at[0] ? sum + g[k / 4, k % 4, at[1]] : sum
        }
      }
      #expect(gradient.map { mismatch($0, sums) } == .some(nil))
    }
    let table = randomTensor([6, 3], seed: 11)
    #expect(table.embedding(Tensor([4] as [Int64], shape: [])).shape == [3])
  }

  @Test("sums have the same bits for every number of threads")
  func deterministic() {
    let indices = randomIntegers([4000], in: 0..<37, seed: 12)
    let along = randomIntegers([2, 300, 70], in: 0..<11, seed: 13)
    let seed = randomTensor([4000, 64], seed: 14)
    func run() -> [[Float]] {
      let (table, leaf) = Tensor(zeros: [37, 64]).tracked()
      let (x, leafX) = Tensor(zeros: [2, 11, 70]).tracked()
      let a = table.embedding(indices).gradients(seed: seed)[leaf]
      let b = x.gathered(along, axis: 1)
        .gradients(seed: randomTensor([2, 300, 70], seed: 15))[leafX]
      return [a, b].compactMap { $0?.scalars }
    }
    let before = Runtime.threads
    defer { Runtime.threads = before }
    let reference = run()
    #expect(reference.count == 2)
    for threads in [1, 2, 3, 7] {
      Runtime.threads = threads
      #expect(run() == reference, "\(threads) threads")
    }
  }

  @Test func sendsGradientsBack() {
    let x = randomTensor([3, 4, 5], seed: 16)
    for axis in [0, 1, -1] {
      let rows = randomIntegers([7], in: 0..<x.shape[axis], seed: 17)
      #expect(
        checkGradients(of: { $0[0].indexSelected(rows, axis: axis) }, at: [x]).failure == nil)
      var shape = x.shape
      shape[axis] = 6
      let along = randomIntegers(shape, in: 0..<x.shape[axis], seed: 18)
      #expect(checkGradients(of: { $0[0].gathered(along, axis: axis) }, at: [x]).failure == nil)
      let values = randomTensor(shape, seed: 19)
      let report = checkGradients(
        of: { $0[0].scatterAdd($0[1], at: along, axis: axis) }, at: [x, values])
      #expect(report.failure == nil)
    }
    let indices = randomIntegers([2, 5], in: 0..<4, seed: 20)
    let table = randomTensor([4, 3], seed: 21)
    #expect(checkGradients(of: { $0[0].embedding(indices) }, at: [table]).failure == nil)
  }

  @Test func outOfRangeIndicesTrapWithIndexAndBound() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Tensor(zeros: [5, 2]).embedding(Tensor([1, 7, 2] as [Int32], shape: [3]))
    }
    let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    #expect(text.contains("index 7 at position 1 is not within 0..<5"))
    await #expect(processExitsWith: .failure) {
      _ = Tensor(zeros: [5, 2]).gathered(Tensor([-1] as [Int64], shape: [1, 1]), axis: 1)
    }
    await #expect(processExitsWith: .failure) {
      _ = Tensor(zeros: [5, 2]).indexSelected(Tensor([5] as [Int64], shape: [1]))
    }
  }
}
