import ItoCAllocations
import ItoTestSupport

/// What a reader may allocate beyond four times a file's size: its tables, a message.
let allowedExcess = 1 << 20

/// The most bytes that `body` has allocated at one time.
func peakAllocation(_ body: () throws -> Void) rethrows -> Int {
  let start = ito_allocations_begin()
  try body()
  return Int(ito_allocations_peak() - start)
}

/// Files of several megabytes made to take much memory when they are opened. They are handed over as mapped
/// files are, so that what a reader allocates is all it takes.
enum HostileFile {
  /// Their size.
  static let size = 3 << 20

  /// `piece` again and again up to `size` bytes, with a number in place of `#`.
  static func repeated(_ piece: String, separator: String = ",", size: Int = size) -> String {
    repeatedText(piece, separator: separator, size: size)
  }

  /// A number as little-endian formats have it.
  static func number<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian) { Array($0) }
  }

  private final class Owner {}

  /// The most that opening `bytes` allocates at one time, and the error if it fails.
  static func peak(
    _ bytes: [UInt8], _ open: (UnsafeRawBufferPointer, AnyObject) throws -> Void
  ) -> (bytes: Int, error: String?) {
    bytes.withUnsafeBytes { held in
      var message: String?
      let peak = peakAllocation {
        do { try open(held, Owner()) } catch { message = "\(error)" }
      }
      return (peak, message)
    }
  }
}
