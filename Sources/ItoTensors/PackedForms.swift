import ItoCOneDNN

/// Packed forms of a checkpoint's weights on disk: written once, mapped from then on.
///
/// Kernels ask for forms as they need them. One that is not there is made and added; `finish` turns what was added into
/// a file that later runs find. Results have the same bits with and without: a form is known by its weight's place and
/// layout, and checked before its first use.
public final class PackedForms: Sendable {
  // A pointer is not Sendable; its address is. What it points to has a lock of its own.
  private let address: UInt, mapping: UInt
  private let report: @Sendable (Statistics) -> Void

  /// What became of the forms of one checkpoint.
  public struct Statistics: Sendable, Hashable {
    /// Forms that were used from files, and that were made and written.
    public var found = 0, added = 0
    /// Bytes written.
    public var addedBytes = 0
    /// Files that were removed because of what they held.
    public var damaged = 0
    /// Why nothing more is written, as the system numbers errors; 0 when nothing failed.
    public var error: Int32 = 0
    /// Whether a form found no room and is in memory only.
    public var isFull = false
  }

  /// What packed bytes depend on besides weights and layouts: libraries, their versions and files, instruction set.
  public static var identity: String { String(cString: ito_packing_identity()) }

  /// The forms called `name` in `folder`, which exists, of a checkpoint mapped at `mapping`.
  ///
  /// - Parameters:
  ///   - name: says everything that the bytes depend on: the checkpoint's contents and `identity`.
  ///   - room: bytes that may be added.
  ///   - report: told what became of it, at `finish`.
  public init(
    folder: String, name: String, room: Int, of mapping: UnsafeRawBufferPointer,
    report: @escaping @Sendable (Statistics) -> Void
  ) {
    address = UInt(bitPattern: ito_pack_store_open(folder, name, Int64(room)))
    self.mapping = UInt(bitPattern: mapping.baseAddress)
    self.report = report
  }

  deinit { ito_pack_store_close(store) }

  private var store: OpaquePointer? { OpaquePointer(bitPattern: address) }

  /// Now.
  public var statistics: Statistics {
    let s = ito_pack_store_statistics(store)
    return Statistics(
      found: Int(s.found), added: Int(s.added), addedBytes: Int(s.added_bytes),
      damaged: Int(s.damaged), error: s.error, isFull: s.is_full != 0)
  }

  /// Makes what was added a file, and tells of it once.
  public func finish() {
    if ito_pack_store_finish(store) != 0 { report(statistics) }
  }

  /// Gives the memory of all forms back until they are read again.
  public func releasePages() { ito_pack_store_release_pages(store) }

  private func place(_ weight: Storage) -> Int64 { Int64(UInt(bitPattern: weight.base) - mapping) }

  /// A holder of the forms of a weight within the mapping.
  func packs(of weight: Storage) -> UnsafeMutableRawPointer {
    ito_packs_create_in(store, place(weight), Int64(weight.byteCount))
  }

  /// Whether files have a form of this weight, which was looked at when it was written.
  func has(_ weight: Storage) -> Bool {
    ito_pack_store_has(store, place(weight), Int64(weight.byteCount)) != 0
  }

  /// Whether forms of this weight may be asked for that take memory unless they are on disk.
  func takes(_ weight: Storage) -> Bool { ito_pack_store_takes(store) != 0 || has(weight) }
}
