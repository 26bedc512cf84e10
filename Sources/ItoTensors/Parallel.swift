import ItoCKernels

/// `body` of each of `0 ..< count`, computed on the thread pool, each thread taking neighbours. For work
/// in Swift, such as decoding files; kernels have their own loops.
package func parallelMap<T: Sendable>(_ count: Int, _ body: @Sendable (Int) -> T) -> [T] {
  [T](unsafeUninitializedCapacity: count) { buffer, initialized in
    // A pointer is not Sendable; its address is. Each element is written by one thread.
    let address = UInt(bitPattern: buffer.baseAddress)
    run(count) { range in
      guard let results = UnsafeMutablePointer<T>(bitPattern: address) else { return }
      for i in range { (results + i).initialize(to: body(i)) }
    }
    initialized = count
  }
}

private func run(_ count: Int, _ body: @Sendable (Range<Int>) -> Void) {
  withoutActuallyEscaping(body) { body in
    withUnsafePointer(to: body) { pointer in
      ito_parallel_for(
        Int64(count), 1,
        { context, begin, end in
          guard let context else { return }
          let body = context.assumingMemoryBound(to: (@Sendable (Range<Int>) -> Void).self)
          body.pointee(Int(begin)..<Int(end))
        }, UnsafeMutableRawPointer(mutating: pointer))
    }
  }
}
