internal import ItoComponents
public import ItoTensors
import Synchronization

#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

/// A file's bytes in memory, shared with the system's cache and read when touched.
///
/// Replacing the file by renaming another over it leaves the mapping as it was. Cutting the same
/// file short is different: a page that is gone cannot be read and the system stops the process.
/// `checkLength` finds that before tensors are handed out; who must be safe from a file being cut
/// while it is in use copies the bytes instead of mapping them.
public final class MappedFile: Sendable {
  // A pointer is not Sendable; its address is.
  private let address: UInt
  private let descriptor: Int32
  /// Where it is.
  public let path: String
  let byteCount: Int
  private let isReleasing = Atomic<Bool>(false), hasBadWeight = Atomic<Bool>(false)
  private let forms = AtomicLazyReference<StampedForms>()

  init(_ path: String) throws(CheckpointError) {
    // Without O_NONBLOCK, opening a pipe would wait for its writer.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw .file(FileError(.open, path: path, code: errno)) }
    var info = stat()
    var code: Int32 = fstat(descriptor, &info) == 0 ? 0 : errno
    if code == 0 && info.st_mode & S_IFMT == S_IFDIR { code = EISDIR }
    if code == 0 && info.st_mode & S_IFMT != S_IFREG {
      close(descriptor)
      throw .unsupported(file: path, reason: "it is not a regular file")
    }
    var address: UInt = 0
    if code == 0 && info.st_size > 0 {
      let base = mmap(nil, Int(info.st_size), PROT_READ, MAP_PRIVATE, descriptor, 0)
      if let base, base != MAP_FAILED { address = UInt(bitPattern: base) } else { code = errno }
    }
    guard code == 0 else {
      close(descriptor)
      throw .file(FileError(.open, path: path, code: code))
    }
    self.address = address
    self.descriptor = descriptor
    self.path = path
    byteCount = Int(info.st_size)
  }

  deinit {
    finishPackedForms()
    if let base = UnsafeMutableRawPointer(bitPattern: address) { munmap(base, byteCount) }
    close(descriptor)
  }

  /// The bytes, valid while this object lives.
  var bytes: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: UnsafeRawPointer(bitPattern: address), count: byteCount)
  }

  /// Throws when the file has been cut since it was opened.
  func checkLength() throws(CheckpointError) {
    var info = stat()
    guard fstat(descriptor, &info) == 0 else {
      throw .file(FileError(.read, path: path, code: errno))
    }
    guard Int(info.st_size) >= byteCount else {
      throw .corrupt(
        file: path,
        reason: "it was cut from \(byteCount) to \(info.st_size) bytes while it was in use")
    }
  }
}

/// What tells one version of a file from all others: a change to it moves one of these.
struct FileStamp: Equatable {
  /// Device and inode.
  var place: String
  /// Place, size, and times of contents and inode in nanoseconds.
  var version: String
  /// When it last changed, in seconds.
  var changed: Int
}

/// Packed forms, and the version of the file they are of.
private final class StampedForms: Sendable {
  let forms: PackedForms, version: String
  init(_ forms: PackedForms, _ version: String) {
    self.forms = forms
    self.version = version
  }
}

extension MappedFile {
  /// Of the file as it is now.
  var stamp: FileStamp? {
    var info = stat()
    guard fstat(descriptor, &info) == 0 else { return nil }
    let place = "\(info.st_dev) \(info.st_ino)"
    let (m, c) = (info.st_mtim, info.st_ctim)
    return FileStamp(
      place: place,
      version: "\(place) \(info.st_size) \(m.tv_sec).\(m.tv_nsec) \(c.tv_sec).\(c.tv_nsec)",
      changed: max(m.tv_sec, c.tv_sec))
  }

  /// Where packed forms of the weights are kept; nil for in memory.
  package var packedForms: PackedForms? { forms.load()?.forms }

  /// Keeps packed forms of the weights of this `version` there, if they are kept nowhere yet.
  func keepPackedForms(_ kept: PackedForms, version: String) {
    _ = forms.storeIfNil(StampedForms(kept, version))
  }

  /// Makes forms that were packed since the last time files of their store: unless the file has been changed meanwhile, or
  /// has weights that are not finite, which every run is to find.
  package func finishPackedForms() {
    guard let kept = forms.load(), !hasNonFinite, stamp?.version == kept.version else { return }
    kept.forms.finish()
  }
}

extension MappedFile: ReleasablePages {
  /// Whether the pages of a weight are given back after each use, and no packed form of it is kept. The
  /// memory in use stays that of one layer; pages that the system has kept are found again at little
  /// cost, others are read again.
  public var releasesAfterUse: Bool {
    get { isReleasing.load(ordering: .relaxed) }
    set { isReleasing.store(newValue, ordering: .relaxed) }
  }

  /// Whether a weight that was used so far has NaN or infinite elements.
  public var hasNonFinite: Bool { hasBadWeight.load(ordering: .relaxed) }
  package func noteNonFinite() { hasBadWeight.store(true, ordering: .relaxed) }

  /// Gives all memory back until it is read again; nothing is lost.
  public func releasePages() {
    releasePages(bytes)
    packedForms?.releasePages()
  }

  /// Whole pages only: what lies beside `bytes` may be in use.
  package func releasePages(_ bytes: UnsafeRawBufferPointer) {
    guard let base = bytes.baseAddress else { return }
    let page = UInt(sysconf(Int32(_SC_PAGESIZE)))
    let start = (UInt(bitPattern: base) + page - 1) / page * page
    let end = (UInt(bitPattern: base) + UInt(bytes.count)) / page * page
    guard end > start, let first = UnsafeMutableRawPointer(bitPattern: start) else { return }
    // Advice: a refusal changes nothing but the memory in use.
    _ = madvise(first, Int(end - start), MADV_DONTNEED)
  }
}
