import ItoModules
import ItoTensors
import Testing

@Suite struct GradientsTests {
  @Test("Gradients of micro-batches add up by path, without touching what they came from")
  func accumulate() {
    func gradients(_ values: [String: [Float]]) -> Gradients {
      var result = Gradients()
      for (path, own) in values {
        result.byPath[ModulePath(path)] = Tensor(own, shape: [own.count])
      }
      return result
    }
    var sum = gradients(["a": [1, 2], "b": [3]])
    let first = sum
    let second = gradients(["b": [10], "c": [5, 6]])
    sum.accumulate(second)
    sum.accumulate(second)
    #expect(
      sum.byPath.mapValues(\.scalars) == [
        ModulePath("a"): [1, 2], ModulePath("b"): [23], ModulePath("c"): [10, 12],
      ])
    #expect(first[ModulePath("b")]?.scalars == [3])
    #expect(second[ModulePath("c")]?.scalars == [5, 6])
    // A sum that nothing else refers to is added to where it is.
    let place = sum[ModulePath("c")]?.storageAddress
    sum.accumulate(gradients(["c": [1, 1]]))
    #expect(sum[ModulePath("c")]?.scalars == [11, 13])
    #expect(sum[ModulePath("c")]?.storageAddress == place)
  }
}
