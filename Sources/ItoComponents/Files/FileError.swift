#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

/// A file operation that the operating system refused.
public struct FileError: Error, Sendable, Hashable, CustomStringConvertible {
  /// What was being done.
  public enum Operation: String, Sendable, Hashable {
    case open, read, create, write, flush, replace, close
  }

  /// What was being done.
  public var operation: Operation
  /// The file the caller asked for.
  public var path: String
  /// The system's error number, `ENOSPC` and the like.
  public var code: Int32

  /// An error of `operation` on `path` with the system's error number.
  public init(_ operation: Operation, path: String, code: Int32) {
    self.operation = operation
    self.path = path
    self.code = code
  }

  /// What failed, the file, the system's reason and what to do about it.
  public var description: String {
    let what =
      switch operation {
      case .open: "cannot open '\(path)'"
      case .read: "cannot read '\(path)'"
      case .create, .write, .flush, .replace, .close: "cannot write '\(path)'"
      }
    return "\(what): \(reason). \(advice)"
  }

  /// The system's text for `code`.
  public var reason: String {
    guard let text = strerror(code) else { return "error \(code)" }
    return String(cString: text)
  }

  private var isReading: Bool { operation == .open || operation == .read }

  private var advice: String {
    let folder = AtomicFile.split(path).folder
    return switch code {
    case ENOSPC, EDQUOT:
      "Free space on the disk that holds '\(folder)', or choose another folder; "
        + "an earlier file of that name is unchanged."
    case EROFS: "The file system is read-only; choose another folder."
    case EACCES, EPERM:
      isReading
        ? "Give this user the right to read it."
        : "Give this user the right to write in '\(folder)', or choose another folder."
    case ENOENT:
      isReading ? "Check the path." : "Create the folder '\(folder)', or check its spelling."
    case ENOTDIR: "A part of '\(folder)' is a file, not a folder; check the path."
    case EISDIR: "That is a folder; give the name of a file."
    case ENAMETOOLONG: "Choose a shorter name."
    case EFBIG: "The file is larger than the limit of this process or file system allows."
    case EMFILE, ENFILE: "Too many files are open; raise the limit with 'ulimit -n'."
    case EIO: "The device failed; check the disk."
    default: "Check the path, or choose another folder."
    }
  }
}
