import Synchronization

private let nextNode = Atomic<UInt64>(1)

/// One recorded operation: where its inputs came from and how to send a gradient back to them.
package final class GradientNode: Sendable {
  package let id: UInt64
  let inputs: [GradientNode?]
  let pullback: Pullback

  enum Pullback: Sendable {
    /// The gradient of each input.
    case gradients(@Sendable (Tensor) -> [Tensor?])
    /// Adds the gradient of a part to the gradient of the only input, zeros at first.
    case part(of: Shape, @Sendable (Tensor, inout Tensor) -> Void)
  }

  init(inputs: [GradientNode?], pullback: Pullback) {
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
    result.node = GradientNode(inputs: inputs.map(\.node), pullback: .gradients(pullback))
    return result
  }

  /// Records `self` as a part of `whole`; does nothing unless that is tracked.
  ///
  /// The parts of a tensor that is split add their gradients into one buffer, where `recorded(from:)`
  /// would make a full-sized gradient of each.
  ///
  /// - Parameter add: adds the gradient of `self` to the gradient of `whole`; both of one element
  ///   type. It must capture detached tensors only.
  package func recorded(
    asPartOf whole: Tensor, _ add: @escaping @Sendable (Tensor, inout Tensor) -> Void
  ) -> Tensor {
    guard let node = whole.node else { return self }
    var result = self
    result.node = GradientNode(inputs: [node], pullback: .part(of: whole.shape, add))
    return result
  }

  /// The same values as the start of a gradient history, and the key their gradient will have.
  public func tracked() -> (Tensor, Leaf) {
    require(dtype.isFloatingPoint, "a tensor of \(dtype) cannot carry gradients")
    var result = self
    let node = GradientNode(inputs: [], pullback: .gradients { _ in [] })
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
      func reached(_ input: GradientNode) {
        if nodes.updateValue(input, forKey: input.id) == nil { pending.insert(input.id) }
      }
      switch node.pullback {
      case .gradients(let pullback):
        for (input, gradient) in Swift.zip(node.inputs, pullback(upstream)) {
          guard let input, let gradient else { continue }
          if let sum = upstreams[input.id] {
            upstreams[input.id] = sum + gradient
          } else {
            upstreams[input.id] = gradient
          }
          reached(input)
        }
      case .part(let whole, let add):
        guard let input = node.inputs.first ?? nil else { continue }
        // Taken out of the table, so that the sum is held once and changes in place.
        var total =
          upstreams.removeValue(forKey: input.id) ?? Tensor(zeros: whole, dtype: upstream.dtype)
        let type = total.dtype.promoted(with: upstream.dtype)
        total = total.cast(to: type)
        add(upstream.cast(to: type), &total)
        upstreams[input.id] = total
        reached(input)
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
