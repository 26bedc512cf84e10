/// Turns text into the numbers a text encoder reads.
public protocol Tokenizer: Sendable {
  /// The token numbers of `text`, of any length, with the marks of beginning and end that the model
  /// was trained with. Any text has an encoding; no text is an error.
  func encode(_ text: String) -> [Int32]
}
