/// One line that shows how far a task is, at what rate, and how long it will take.
///
/// Silent unless a person watches; redrawn at most ten times a second.
struct ProgressBar {
  private let title: String, unit: String
  private var total: Int
  private let begin: Double
  private let first: Int
  private var drawn = -1.0
  private let isShown: Bool

  /// - Parameters:
  ///   - unit: what is counted, singular: `step`, `picture`.
  ///   - first: how much was done before this run (a resumed training).
  init(_ title: String, unit: String, total: Int, first: Int = 0, isShown: Bool) {
    self.title = title
    self.unit = unit
    self.total = total
    self.first = first
    self.isShown = isShown && Terminal.isInteractive
    begin = now()
  }

  /// Shows that `done` of the total are done.
  mutating func update(_ done: Int, note: String = "") {
    guard isShown else { return }
    let time = now()
    guard time - drawn >= 0.1 || done == total else { return }
    drawn = time
    Terminal.note("\r\u{1B}[K" + line(done, time - begin, note), terminator: "")
  }

  /// Shows that `done` of `total` are done, for a total that is known only later.
  mutating func update(_ done: Int, of total: Int) {
    self.total = total
    update(done)
  }

  /// Removes the line.
  func clear() {
    if isShown && drawn >= 0 { Terminal.note("\r\u{1B}[K", terminator: "") }
  }

  private func line(_ done: Int, _ elapsed: Double, _ note: String) -> String {
    let fresh = done - first
    let rate = elapsed > 0 ? Double(fresh) / elapsed : 0
    var text = " \(done)/\(total)"
    if fresh > 0 && rate > 0 {
      let pace =
        rate >= 1 ? "\(brief(rate)) \(unit)s/s" : "\(formatted(seconds: 1 / rate)) a \(unit)"
      text += "  \(pace)  \(formatted(seconds: Double(total - done) / rate)) left"
    }
    if !note.isEmpty { text += "  \(note)" }
    let room = Terminal.width - title.count - text.count - 4
    guard room >= 8 else { return String((title + text).prefix(max(1, Terminal.width - 1))) }
    let width = min(30, room)
    let filled = total > 0 ? min(width, done * width / total) : 0
    let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: width - filled)
    return "\(title) \(bar)\(text)"
  }
}
