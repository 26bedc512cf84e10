/// `piece` again and again up to `size` bytes, with a number, another one each time, in place of `#`: what hostile
/// files are made of.
public func repeatedText(_ piece: String, separator: String, size: Int) -> String {
  let count = size / (piece.utf8.count + separator.utf8.count)
  // Taken apart once: replacing in each piece takes longer than the readers do.
  let parts = piece.split(separator: "#", omittingEmptySubsequences: false)
  var text = ""
  for i in 0..<count {
    if i > 0 { text += separator }
    text += parts[0]
    for part in parts.dropFirst() { text += String(i, radix: 36) + part }
  }
  return text
}
