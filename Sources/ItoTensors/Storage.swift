import ItoCKernels
import Synchronization

/// A reference-counted byte buffer: a block of the caching allocator, or a view of memory that
/// `owner` keeps alive (a mapped file).
///
/// `@unchecked Sendable`, and sound: bytes are written only before the buffer is shared, or where
/// `Tensor.ownsBytes` holds (`update`, `formGroupNorm`), that is by the only reference
/// (`isKnownUniquelyReferenced`). The attachment is
/// set once by an atomic exchange and is itself thread-safe.
package final class Storage: @unchecked Sendable {
  package let base: UnsafeMutableRawPointer
  package let byteCount: Int
  let owner: AnyObject?
  package var isMapped: Bool { owner != nil }

  /// Derived forms of these bytes (weights packed for a kernel), dropped when they change.
  private let attachment = Atomic<UInt>(0)
  let hasReleased = Atomic<Bool>(false), hasBeenUsed = Atomic<Bool>(false)

  package init(byteCount: Int) {
    self.byteCount = byteCount
    base = ito_alloc(max(1, byteCount))
    owner = nil
  }

  /// A view of `byteCount` read-only bytes that stay valid while `owner` lives.
  package init(viewing base: UnsafeRawPointer, byteCount: Int, owner: AnyObject) {
    self.base = UnsafeMutableRawPointer(mutating: base)
    self.byteCount = byteCount
    self.owner = owner
  }

  deinit {
    dropAttachment()
    if owner == nil { ito_free(base, max(1, byteCount)) }
  }

  /// The derived forms, created by `make` on first use. The pointee must be an object whose first
  /// word is its destroy function (see `ito_attachment` in ito_runtime.h).
  package func attached(_ make: () -> UnsafeMutableRawPointer) -> UnsafeMutableRawPointer {
    let found = attachment.load(ordering: .acquiring)
    if let pointer = UnsafeMutableRawPointer(bitPattern: found) { return pointer }
    let fresh = make()
    let (exchanged, original) = attachment.compareExchange(
      expected: 0, desired: UInt(bitPattern: fresh), ordering: .acquiringAndReleasing)
    guard !exchanged, let first = UnsafeMutableRawPointer(bitPattern: original) else {
      return fresh
    }
    ito_attachment_destroy(fresh)
    return first
  }

  package func dropAttachment() {
    let old = attachment.exchange(0, ordering: .acquiringAndReleasing)
    if let pointer = UnsafeMutableRawPointer(bitPattern: old) { ito_attachment_destroy(pointer) }
  }
}
