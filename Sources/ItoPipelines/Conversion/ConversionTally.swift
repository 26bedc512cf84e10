import ItoCheckpoints
import ItoTensors

/// What a conversion has done to the size and the values of a model.
struct ConversionTally {
  /// Bytes of the tensors read, and of those written.
  var bytesBefore = 0, bytesAfter = 0
  private var squares = 0.0, differences = 0.0

  /// `√(Σ(x − x̂)² / Σx²)` over all floating-point tensors written, nil before any was compared.
  var relativeError: Double? {
    squares > 0 ? (differences / squares).squareRoot() : nil
  }

  /// Counts the bytes of `source` and of the file at `path` that it was written to.
  ///
  /// - Parameter compares: read the file back and compare every number.
  mutating func add(
    _ source: any TensorSource, writtenTo path: String, compares: Bool
  ) throws(CheckpointError) {
    func bytes(_ source: any TensorSource) -> Int {
      source.contents.reduce(0) { $0 + $1.byteCount }
    }
    let written = try Checkpoint.open(path)
    bytesBefore += bytes(source)
    bytesAfter += bytes(written)
    guard compares else { return }
    for key in source.keys where source.dtype(of: key)?.isFloatingPoint == true {
      let old = try source.tensor(key), new = try written.tensor(key)
      let exact = old.cast(to: .float32)
      squares += exact.sumOfSquares
      differences += (new.cast(to: .float32) - exact).sumOfSquares
      old.storage.releasePages()
      new.storage.releasePages()
    }
  }
}
