#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

/// The built-in typeface: strokes of round ends on a grid of 5 by 7 units, drawn smoothly at any
/// size.
///
/// Stems run along the middles of grid cells and are one cell wide, so at whole-number sizes they
/// fall on whole pixels and stay sharp. What has no glyph is drawn as a box.
struct StrokeFont {
  /// Pixels per unit. Capitals are seven units high.
  let size: Double

  /// Rows of units from the top of capitals to the baseline, and to the lowest descender.
  static let capitalHeight = 7.0
  static let fullHeight = 9.0
  /// Empty columns between letters.
  private static let tracking = 1.2
  private static let spaceWidth = 2.2

  struct Point: Sendable { var x, y: Double }

  /// A glyph as straight pieces, the curves already divided.
  struct Glyph: Sendable {
    var segments: [(from: Point, to: Point)] = []
    var width = 0.0
  }

  /// The width of `text` in pixels.
  func width(of text: String) -> Int {
    let units = text.reduce(0) { $0 + Self.advance(of: $1) } - (text.isEmpty ? 0 : Self.tracking)
    return Int((units * size).rounded(.up))
  }

  /// `text`, cut short with an ellipsis when it is wider than `limit` pixels.
  func fitted(_ text: String, to limit: Int) -> String {
    if width(of: text) <= limit { return text }
    var short = text
    while !short.isEmpty && width(of: short + "…") > limit { short.removeLast() }
    while short.last == " " { short.removeLast() }
    return short + "…"
  }

  /// `text` broken at spaces into at most `count` lines no wider than `limit` pixels; what does not fit
  /// is cut short.
  func lines(of text: String, width limit: Int, count: Int) -> [String] {
    var lines: [String] = []
    var rest = text.split(separator: " ")[...]
    while let first = rest.popFirst() {
      var line = String(first)
      while let next = rest.first,
        lines.count == count - 1 || width(of: "\(line) \(next)") <= limit
      {
        line += " \(next)"
        rest.removeFirst()
      }
      lines.append(fitted(line, to: limit))
    }
    return lines.isEmpty ? [""] : lines
  }

  /// Draws `text` with the top left corner of its capitals at (`x`, `y`); what falls outside is
  /// left out.
  func draw(_ text: String, on image: inout PixelImage, x: Int, y: Int, color: PixelColor) {
    var pen = Double(x)
    for character in text {
      if let glyph = Self.glyph(of: character) {
        draw(glyph, on: &image, x: pen, y: Double(y), color: color)
      }
      pen += Self.advance(of: character) * size
    }
  }

  private func draw(
    _ glyph: Glyph, on image: inout PixelImage, x: Double, y: Double, color: PixelColor
  ) {
    let columns = Self.pixels(x - size, x + (glyph.width + 1) * size, image.width)
    let rows = Self.pixels(y - 2 * size, y + (Self.fullHeight + 1) * size, image.height)
    let tones =
      image.channels == 1
      ? [PixelColor.luma(color.red, color.green, color.blue)]
      : [color.red, color.green, color.blue]
    for row in rows {
      for column in columns {
        let point = Point(
          x: (Double(column) + 0.5 - x) / size - 0.5, y: (Double(row) + 0.5 - y) / size - 0.5)
        var nearest = 4.0
        for segment in glyph.segments {
          nearest = min(nearest, Self.squaredDistance(point, segment.from, segment.to))
        }
        // Half a unit of ink on either side of the line, and one pixel of transition.
        let ink = min(max((0.5 - nearest.squareRoot()) * size + 0.5, 0), 1)
        if ink == 0 { continue }
        for (channel, tone) in tones.enumerated() {
          let old = Double(image[column, row, channel])
          image[column, row, channel] = UInt8((old + (Double(tone) - old) * ink).rounded())
        }
        if image.hasAlpha {
          image[column, row, 3] = max(image[column, row, 3], UInt8((255 * ink).rounded()))
        }
      }
    }
  }

  private static func pixels(_ low: Double, _ high: Double, _ limit: Int) -> Range<Int> {
    let first = min(max(Int(low), 0), limit)
    return first..<max(first, min(Int(high) + 1, limit))
  }

  private static func squaredDistance(_ p: Point, _ a: Point, _ b: Point) -> Double {
    let (dx, dy) = (b.x - a.x, b.y - a.y)
    let length = dx * dx + dy * dy
    let along = length == 0 ? 0 : min(max(((p.x - a.x) * dx + (p.y - a.y) * dy) / length, 0), 1)
    let (ex, ey) = (p.x - a.x - along * dx, p.y - a.y - along * dy)
    return ex * ex + ey * ey
  }
}

// MARK: Glyphs

extension StrokeFont {
  private static func advance(of character: Character) -> Double {
    (glyph(of: character)?.width ?? spaceWidth) + tracking
  }

  /// The strokes of `character`, nil for a space.
  static func glyph(of character: Character) -> Glyph? {
    if character.isWhitespace { return nil }
    return glyphs[character] ?? missing
  }

  private static let missing = parsed("@0,0 3,0 3,6 0,6")
  private static let glyphs = Dictionary(
    uniqueKeysWithValues: strokes.map { ($0.key, parsed($0.value)) })

  /// Reads the notation of `strokes`.
  private static func parsed(_ text: String) -> Glyph {
    var glyph = Glyph()
    for path in text.split(separator: "/") {
      let isClosed = path.contains("@")
      var points: [(point: Point, isRound: Bool)] = []
      for token in path.split(separator: " ") {
        let numbers = token.filter { $0 != "@" && $0 != "~" }.split(separator: ",")
        let point = Point(x: Double(numbers[0]) ?? 0, y: Double(numbers[1]) ?? 0)
        points.append((point, token.last == "~"))
      }
      let line = rounded(points, isClosed: isClosed)
      if line.count == 1 { glyph.segments.append((line[0], line[0])) }
      for i in line.indices.dropFirst() { glyph.segments.append((line[i - 1], line[i])) }
    }
    let ends = glyph.segments.flatMap { [$0.from.x, $0.to.x] }
    glyph.width = (ends.max() ?? 0) + 1
    return glyph
  }

  private static let maximumRadius = 2.0
  private static let arcPieces = 8

  /// The polyline with its round corners replaced by arcs.
  private static func rounded(_ path: [(point: Point, isRound: Bool)], isClosed: Bool) -> [Point] {
    var line: [Point] = []
    for (i, (corner, isRound)) in path.enumerated() {
      guard isRound, isClosed || (i > 0 && i < path.count - 1) else {
        line.append(corner)
        continue
      }
      let before = path[(i + path.count - 1) % path.count]
      let after = path[(i + 1) % path.count]
      // Two arcs share a side between them.
      func room(_ other: (point: Point, isRound: Bool)) -> Double {
        hypot(other.point.x - corner.x, other.point.y - corner.y) * (other.isRound ? 0.5 : 1)
      }
      let reach = min(room(before), room(after), maximumRadius)
      func toward(_ other: Point) -> Point {
        let part = reach / hypot(other.x - corner.x, other.y - corner.y)
        return Point(
          x: corner.x + (other.x - corner.x) * part, y: corner.y + (other.y - corner.y) * part)
      }
      let (start, end) = (toward(before.point), toward(after.point))
      // A rational quadratic curve with this weight is an exact circle arc.
      let weight = hypot(start.x - end.x, start.y - end.y) / (2 * reach)
      for step in 0...arcPieces {
        let t = Double(step) / Double(arcPieces)
        let (a, b, c) = ((1 - t) * (1 - t), 2 * t * (1 - t) * weight, t * t)
        line.append(
          Point(
            x: (a * start.x + b * corner.x + c * end.x) / (a + b + c),
            y: (a * start.y + b * corner.y + c * end.y) / (a + b + c)))
      }
    }
    if isClosed, let first = line.first { line.append(first) }
    return line
  }
}
