import ItoCKernels

/// Where the time of tensor operations goes.
///
///     let (image, entries) = Profile.recording { network(x) }
public enum Profile {
  /// What all calls of one kind of operation added up to.
  public struct Entry: Sendable, Hashable {
    /// The kind of operation: `Matmul`, `Convolution`, `Attention`, …
    public var operation: String
    /// How often it was called.
    public var calls: Int
    /// Wall time.
    public var seconds: Double
    /// Multiplications and additions of matrix products, convolutions and attention, counted as if
    /// computed plainly: methods that need fewer show as a higher rate.
    public var flops: Double
    /// Bytes of the tensors read and written.
    public var bytes: Double
  }

  /// Runs `body` and says what its tensor operations took, the longest first. One recording at a time
  /// in a process; an operation inside another counts as part of it.
  public static func recording<R, E: Error>(
    _ body: () throws(E) -> R
  ) throws(E) -> (result: R, entries: [Entry]) {
    ito_profile_start()
    let result: R
    do throws(E) {
      result = try body()
    } catch {
      _ = stop()
      throw error
    }
    return (result, stop())
  }

  private static func stop() -> [Entry] {
    let room = 256
    let found = [ito_profile_entry](unsafeUninitializedCapacity: room) { buffer, count in
      count = min(room, Int(ito_profile_stop(buffer.baseAddress, Int64(room))))
    }
    return found.map {
      Entry(
        operation: name($0.name), calls: Int($0.calls), seconds: $0.seconds, flops: $0.flops,
        bytes: $0.bytes)
    }
  }

  /// `Matmul` of `ItoTensors/Matmul.swift`.
  private static func name(_ file: UnsafePointer<CChar>?) -> String {
    let path = file.map { String(cString: $0) } ?? ""
    let last = path.split(separator: "/").last.map(String.init) ?? path
    return last.hasSuffix(".swift") ? String(last.dropLast(6)) : last
  }
}

/// Runs `body` as one operation of a profile.
package func profiled<R>(_ operation: StaticString, writing bytes: Int, _ body: () -> R) -> R {
  let begun = ito_profile_begin()
  let result = body()
  if begun != 0 {
    let name = UnsafeRawPointer(operation.utf8Start).assumingMemoryBound(to: CChar.self)
    ito_profile_end(begun, name, Int64(bytes))
  }
  return result
}
