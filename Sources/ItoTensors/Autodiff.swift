import Synchronization

private let nextNode = Atomic<UInt64>(1)

/// One recorded operation: where its inputs came from and how to send a gradient back to them.
package final class GradientNode: Sendable {
  package let id: UInt64
  let inputs: [GradientNode?]
  let pullback: @Sendable (Tensor) -> [Tensor?]

  init(inputs: [GradientNode?], pullback: @escaping @Sendable (Tensor) -> [Tensor?]) {
    id = nextNode.add(1, ordering: .relaxed).newValue
    self.inputs = inputs
    self.pullback = pullback
  }
}

/// A tracked value whose gradient is wanted.
public struct Leaf: Sendable, Hashable {
  let id: UInt64
}

extension Tensor {
  /// Records `self` as the result of an operation on `inputs`; does nothing unless one is tracked.
  ///
  /// - Parameter pullback: maps the gradient of `self` (its shape and element type) to one gradient
  ///   per input (that input's shape), `nil` for none. It must capture detached tensors only.
  package func recorded(
    from inputs: [Tensor], _ pullback: @escaping @Sendable (Tensor) -> [Tensor?]
  ) -> Tensor {
    guard inputs.contains(where: { $0.node != nil }) else { return self }
    var result = self
    result.node = GradientNode(inputs: inputs.map(\.node), pullback: pullback)
    return result
  }

  /// The same values as the start of a gradient history, and the key their gradient will have.
  public func tracked() -> (Tensor, Leaf) {
    require(dtype.isFloatingPoint, "a tensor of \(dtype) cannot carry gradients")
    var result = self
    let node = GradientNode(inputs: [], pullback: { _ in [] })
    result.node = node
    return (result, Leaf(id: node.id))
  }

  /// Walks the history once, newest operation first.
  ///
  /// - Parameter seed: gradient of `self`; ones when omitted.
  /// - Returns: the gradient of every leaf reached.
  public func gradients(seed: Tensor? = nil) -> [Leaf: Tensor] {
    guard let root = node else { return [:] }
    let first = seed ?? Tensor(repeating: 1, shape: shape, dtype: dtype)
    require(first.shape == shape, "gradient of shape \(first.shape) for a value of shape \(shape)")
    var upstreams: [UInt64: Tensor] = [root.id: first]
    var nodes: [UInt64: GradientNode] = [root.id: root]
    var pending = Heap()
    pending.insert(root.id)
    var leaves: [Leaf: Tensor] = [:]
    while let id = pending.popMax() {
      guard let node = nodes.removeValue(forKey: id),
        let upstream = upstreams.removeValue(forKey: id)
      else { continue }
      if node.inputs.isEmpty {
        leaves[Leaf(id: id)] = upstream
        continue
      }
      for (input, gradient) in Swift.zip(node.inputs, node.pullback(upstream)) {
        guard let input, let gradient else { continue }
        if let sum = upstreams[input.id] {
          upstreams[input.id] = sum + gradient
        } else {
          upstreams[input.id] = gradient
          nodes[input.id] = input
          pending.insert(input.id)
        }
      }
    }
    return leaves
  }
}

/// A binary max-heap of node numbers.
private struct Heap {
  private var items: [UInt64] = []

  mutating func insert(_ value: UInt64) {
    items.append(value)
    var child = items.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      guard items[parent] < items[child] else { break }
      items.swapAt(parent, child)
      child = parent
    }
  }

  mutating func popMax() -> UInt64? {
    guard let top = items.first else { return nil }
    let last = items.removeLast()
    guard !items.isEmpty else { return top }
    items[0] = last
    var parent = 0
    while true {
      var largest = parent
      for child in [2 * parent + 1, 2 * parent + 2] where child < items.count {
        if items[child] > items[largest] { largest = child }
      }
      guard largest != parent else { break }
      items.swapAt(parent, largest)
      parent = largest
    }
    return top
  }
}
