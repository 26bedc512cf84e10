/// The memory that reading a pickle may still take.
///
/// Everything whose number only the file knows is accounted for at what the heap gives for it. A list that grows
/// is moved, so that its old and its new place count together until it has moved.
struct PickleBudget: Sendable {
  private var left: Int

  /// What the heap adds to a list or a text: the header, up to the next multiple of 16 bytes, and 16 more where a free
  /// piece that is used again leaves too little to be a piece of its own.
  static let overhead = 64

  /// A budget of four times a file's size and most of a megabyte, the rest of which is for a message and what else
  /// there is one of.
  ///
  /// - Parameter held: what was taken before.
  init(fileSize: Int, held: Int = 0) { left = (1 << 20) - (1 << 16) + 4 * fileSize - held }

  /// Accounts for `size` bytes about to be taken.
  mutating func take(_ size: Int) throws(PickleFault) {
    left -= size
    if left < 0 { throw .broken("its pickle makes more objects than a checkpoint needs") }
  }

  /// Accounts for a list of `count` elements about to be made.
  mutating func take<Element>(_ count: Int, of type: Element.Type) throws(PickleFault) {
    if count > 0 { try take(Self.overhead + count * MemoryLayout<Element>.stride) }
  }

  /// Accounts for a text of `length` bytes; short ones lie where they are mentioned.
  mutating func take(text length: Int) throws(PickleFault) {
    if length > 15 { try take(Self.overhead + length) }
  }

  /// Makes room for `count` more elements in `list`, half as much again as it has if it has to move.
  mutating func makeRoom<Element>(
    for count: Int, in list: inout [Element]
  ) throws(PickleFault) {
    let (needed, old) = (list.count + count, list.capacity)
    if needed <= old { return }
    let capacity = max(needed, old + old / 2)
    try take(capacity, of: Element.self)
    list.reserveCapacity(capacity)
    if old > 0 { left += 32 + old * MemoryLayout<Element>.stride }
  }
}
