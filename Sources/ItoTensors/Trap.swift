/// Stops the process because of a programmer's error inside tensor code.
///
/// `precondition` loses its text in optimised builds; this keeps it.
@inline(never)
package func trap(_ message: String, file: StaticString = #fileID, line: UInt = #line) -> Never {
  fatalError("Itô: " + message, file: file, line: line)
}

/// Traps with `message` unless `condition` holds.
@inline(__always)
package func require(
  _ condition: Bool, _ message: @autoclosure () -> String, file: StaticString = #fileID,
  line: UInt = #line
) {
  if !condition { trap(message(), file: file, line: line) }
}
