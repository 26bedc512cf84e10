/// Text that is not acceptable JSON, and where.
public struct JSONError: Error, Sendable, Hashable, CustomStringConvertible {
  /// What is wrong.
  public var reason: String
  /// Line, from 1.
  public var line: Int
  /// Column in characters (Unicode scalars), from 1.
  public var column: Int
  /// Byte offset, from 0.
  public var offset: Int

  /// An error at a place in a text.
  public init(reason: String, line: Int, column: Int, offset: Int) {
    self.reason = reason
    self.line = line
    self.column = column
    self.offset = offset
  }

  /// `line 3, column 7 (byte 41): expected ':' after the key`
  public var description: String {
    "line \(line), column \(column) (byte \(offset)): \(reason)"
  }
}
