import ItoCKernels

/// One stream of random numbers. The engine is the owner's, since it is the same for all of them.
struct NoiseStream: Sendable, Hashable {
  let seed: UInt64
  /// The Mersenne twister's words; empty for Philox.
  var words: [UInt32] = []
  /// Words used up, or the next counter.
  var position: UInt64 = 0
  /// The second value of the last pair of normals that torch drew one by one.
  var spare: Double?

  init(seed: UInt64, engine: NoiseSource.Engine) {
    self.seed = seed
    if engine.isTorch {
      words = [UInt32](repeating: 0, count: Int(ITO_MT19937_WORDS))
      ito_mt19937_seed(&words, UInt32(truncatingIfNeeded: seed))
      position = UInt64(ITO_MT19937_WORDS)
    }
  }

  /// The seed of stream `index`. Philox: the words of a counter that is never drawn from.
  func seed(ofStream index: UInt64, engine: NoiseSource.Engine) -> UInt64 {
    engine == .philox ? philox(index, purpose: 1).0 : seed &+ index
  }
}

extension NoiseSource.Engine {
  var isTorch: Bool { self == .torch || self == .torchScalar }
}

// Tensors.
extension NoiseStream {
  mutating func fillNormal(
    _ engine: NoiseSource.Engine, _ out: UnsafeMutablePointer<Float>, _ count: Int
  ) {
    switch engine {
    case .torch: fillTorchNormal(ITO_NORMAL_VECTOR, out, count)
    case .torchScalar: fillTorchNormal(ITO_NORMAL_SCALAR, out, count)
    case .philox:
      ito_philox_normal(seed, position, out, Int64(count))
      position &+= UInt64((count + 31) / 32 * 8)
    case .cuda:
      ito_philox_normal_cuda(seed, position, out, Int64(count))
      position &+= 1
    }
  }

  mutating func fillUniform(
    _ engine: NoiseSource.Engine, _ out: UnsafeMutablePointer<Float>, _ count: Int
  ) {
    switch engine {
    case .torch, .torchScalar:
      position = UInt64(ito_mt19937_uniform(&words, Int32(position), out, Int64(count)))
    case .philox:
      ito_philox_uniform(seed, position, out, Int64(count))
      position &+= UInt64((count + 31) / 32 * 8)
    case .cuda:
      ito_philox_uniform_cuda(seed, position, out, Int64(count))
      position &+= 1
    }
  }

  /// Fewer than 16 values come one by one, in double precision. Otherwise all uniforms are drawn
  /// first and turned into normals in blocks of 16; the last 16 are drawn anew when they do not
  /// form a block.
  private mutating func fillTorchNormal(
    _ variant: some BinaryInteger, _ out: UnsafeMutablePointer<Float>, _ count: Int
  ) {
    guard count >= 16 else {
      for i in 0..<count { out[i] = Float(normal(.torch)) }
      return
    }
    fillUniform(.torch, out, count)
    ito_normal_blocks(out, Int64(count & ~15), Int32(variant))
    if count & 15 != 0 {
      let tail = out + (count - 16)
      fillUniform(.torch, tail, 16)
      ito_normal_blocks(tail, 16, Int32(variant))
    }
  }
}

// Single numbers.
extension NoiseStream {
  mutating func uniform(_ engine: NoiseSource.Engine) -> Double {
    Double(bits64(engine) & (1 << 53 - 1)) * 0x1p-53
  }

  mutating func normal(_ engine: NoiseSource.Engine) -> Double {
    if let value = spare {
      spare = nil
      return value
    }
    let u1 = uniform(engine)
    let u2 = uniform(engine)
    var first = 0.0
    var second = 0.0
    ito_normal_pair(u1, u2, &first, &second)
    if engine.isTorch { spare = second }
    return first
  }

  mutating func integer(_ engine: NoiseSource.Engine, below bound: UInt64) -> UInt64 {
    if engine.isTorch {
      // torch 2.13 takes two words from 2²⁸ on.
      return bound < 1 << 28 ? UInt64(word()) % bound : bits64(engine) % bound
    }
    // Lemire 2019, Fast random integer generation in an interval, algorithm 5.
    var product = bits64(engine).multipliedFullWidth(by: bound)
    if product.low < bound {
      let threshold = (0 &- bound) % bound
      while product.low < threshold {
        product = bits64(engine).multipliedFullWidth(by: bound)
      }
    }
    return product.high
  }

  /// One word of the twister.
  private mutating func word() -> UInt32 {
    var word: UInt32 = 0
    position = UInt64(ito_mt19937_words(&words, Int32(position), &word, 1))
    return word
  }

  private mutating func bits64(_ engine: NoiseSource.Engine) -> UInt64 {
    if engine.isTorch {
      let high = word()
      return UInt64(high) << 32 | UInt64(word())
    }
    defer { position &+= 1 }
    return philox(position, purpose: 0).0
  }

  private func philox(_ counter: UInt64, purpose: UInt32) -> (UInt64, UInt64) {
    let words: [UInt32] = [
      UInt32(truncatingIfNeeded: counter), UInt32(truncatingIfNeeded: counter >> 32), 0, purpose,
    ]
    var out = [UInt32](repeating: 0, count: 4)
    ito_philox(seed, words, &out)
    return (UInt64(out[0]) << 32 | UInt64(out[1]), UInt64(out[2]) << 32 | UInt64(out[3]))
  }
}
