import ItoTensors

/// A grid of pictures with labels, for people to look at.
///
/// ```swift
/// var sheet = ContactSheet(columns: 8)
/// sheet.title = "Fashion-MNIST, 20 steps"
/// sheet.rowLabels = classNames
/// try sheet.draw(pictures).write("sheet.png")
/// ```
public struct ContactSheet: Sendable, Hashable {
  /// Pictures per row.
  public var columns: Int
  /// A headline.
  public var title: String?
  /// Text left of each row, from the top. Rows beyond the list have none.
  public var rowLabels: [String] = []
  /// Text above each column, from the left.
  public var columnLabels: [String] = []
  /// Text under each picture, in the order of the pictures.
  public var captions: [String] = []
  /// Whole-number enlargement of the pictures, or nil to make small ones at least 96 pixels wide.
  public var enlargement: Int?
  /// Pixels between pictures, or nil for a sixteenth of a picture.
  public var spacing: Int?
  /// The paper.
  public var background = PixelColor(grey: 252)
  /// The ink. Captions are lighter.
  public var foreground = PixelColor(grey: 34)

  /// A sheet of `columns` pictures per row, at least 1.
  public init(columns: Int) { self.columns = columns }

  /// Draws the sheet, an RGB picture.
  ///
  /// Every cell has the size of the largest picture; smaller ones are centred. Alpha shows the
  /// background. Captions take up to four lines; what is too wide even so, and labels that are too
  /// wide for their column, are cut short.
  public func draw(_ images: [PixelImage]) -> PixelImage {
    require(!images.isEmpty, "a contact sheet needs at least one picture")
    require(columns > 0, "a contact sheet needs at least one column, not \(columns)")
    let layout = Layout(self, images)
    var sheet = PixelImage(width: layout.width, height: layout.height, color: background)
    drawTexts(layout, on: &sheet)
    for (index, image) in images.enumerated() {
      let factor = layout.enlargement
      let large = image.rgb(over: background).resized(
        width: image.width * factor, height: image.height * factor, filter: .nearest)
      let corner = layout.corner(of: index)
      sheet.paste(
        large, x: corner.x + (layout.cellWidth - large.width) / 2,
        y: corner.y + (layout.cellHeight - large.height) / 2)
      if index < captions.count {
        for (line, text) in layout.lines(of: captions[index]).enumerated() {
          layout.font.draw(
            text, on: &sheet,
            x: corner.x + (layout.cellWidth - layout.font.width(of: text)) / 2,
            y: corner.y + layout.cellHeight + layout.textGap + line * layout.lineHeight,
            color: captionColor)
        }
      }
    }
    return sheet
  }

  private func drawTexts(_ layout: Layout, on sheet: inout PixelImage) {
    if let title {
      let text = layout.titleFont.fitted(title, to: layout.width - layout.left - layout.margin)
      layout.titleFont.draw(text, on: &sheet, x: layout.left, y: layout.margin, color: foreground)
    }
    for (column, label) in columnLabels.prefix(layout.columns).enumerated() {
      let text = layout.font.fitted(label, to: layout.cellWidth)
      layout.font.draw(
        text, on: &sheet,
        x: layout.corner(of: column).x + (layout.cellWidth - layout.font.width(of: text)) / 2,
        y: layout.top - layout.textGap - layout.fontHeight, color: foreground)
    }
    for (row, label) in rowLabels.prefix(layout.rows).enumerated() {
      let capital = Int((StrokeFont.capitalHeight * layout.font.size).rounded())
      layout.font.draw(
        label, on: &sheet, x: layout.left - layout.labelGap - layout.font.width(of: label),
        y: layout.corner(of: row * layout.columns).y + (layout.cellHeight - capital) / 2,
        color: foreground)
    }
  }

  /// Halfway between ink and paper, nearer to the ink.
  private var captionColor: PixelColor {
    func mix(_ ink: UInt8, _ paper: UInt8) -> UInt8 { UInt8((Int(ink) * 2 + Int(paper)) / 3) }
    return PixelColor(
      red: mix(foreground.red, background.red), green: mix(foreground.green, background.green),
      blue: mix(foreground.blue, background.blue))
  }
}

/// Where everything on a sheet goes, in pixels.
private struct Layout {
  let columns, rows: Int
  let enlargement: Int
  let cellWidth, cellHeight, spacing, margin: Int
  let font, titleFont: StrokeFont
  let fontHeight, lineHeight, textGap, labelGap: Int
  /// The corner of the first picture.
  let left, top: Int
  let width, height: Int
  private let rowHeight: Int

  private static let preferredSide = 96
  private static let mostLines = 4

  init(_ sheet: ContactSheet, _ images: [PixelImage]) {
    let widest = images.map(\.width).max() ?? 1
    let tallest = images.map(\.height).max() ?? 1
    columns = min(sheet.columns, images.count)
    rows = (images.count + sheet.columns - 1) / sheet.columns
    let preferred = (Self.preferredSide + widest - 1) / widest
    enlargement = max(1, sheet.enlargement ?? preferred)
    cellWidth = widest * enlargement
    cellHeight = tallest * enlargement
    spacing = max(0, sheet.spacing ?? max(2, min(cellWidth, cellHeight) / 16))
    // Text grows with the pictures, in whole steps so that it stays sharp.
    let size = cellWidth >= 320 ? 3 : cellWidth >= 72 ? 2 : 1
    let labelFont = StrokeFont(size: Double(size))
    font = labelFont
    fontHeight = Int(StrokeFont.fullHeight) * size
    textGap = 3 * size
    labelGap = 6 * size
    margin = max(2 * spacing, 8 * size)

    let labels = sheet.rowLabels.prefix(rows)
    let labelWidth = labels.map(labelFont.width).max() ?? 0
    left = margin + (labelWidth > 0 ? labelWidth + labelGap : 0)
    let grid = columns * (cellWidth + spacing) - spacing
    let room = max(grid, min(sheet.title.map(labelFont.width) ?? 0, 2 * grid))
    width = left + room + margin
    // The headline is half again as large when it fits over the pictures.
    var titleFont = StrokeFont(size: 1.5 * labelFont.size)
    if let title = sheet.title {
      // A hair smaller, so that rounding cannot make it a pixel too wide.
      let fitting =
        0.999 * titleFont.size * Double(room) / Double(max(1, titleFont.width(of: title)))
      titleFont = StrokeFont(size: min(titleFont.size, max(labelFont.size, fitting)))
    }
    self.titleFont = titleFont
    var top = margin
    if sheet.title != nil {
      top += Int((StrokeFont.fullHeight * titleFont.size).rounded()) + 8 * size
    }
    if !sheet.columnLabels.isEmpty { top += fontHeight + textGap }
    self.top = top
    let (cell, line) = (cellWidth, fontHeight + size)
    lineHeight = line
    let lines = sheet.captions.prefix(images.count)
      .map { labelFont.lines(of: $0, width: cell, count: Self.mostLines).count }.max()
    let captionRoom = lines.map { $0 * line } ?? 0
    rowHeight = cellHeight + spacing + (captionRoom > 0 ? captionRoom + 2 * textGap : 0)
    height = top + rows * rowHeight - spacing + margin
  }

  /// A caption as it is drawn.
  func lines(of caption: String) -> [String] {
    font.lines(of: caption, width: cellWidth, count: Self.mostLines)
  }

  func corner(of index: Int) -> (x: Int, y: Int) {
    let (row, column) = index.quotientAndRemainder(dividingBy: columns)
    return (left + column * (cellWidth + spacing), top + row * rowHeight)
  }
}

extension PixelImage {
  /// Copies `other`, which has the same channels and lies inside, to column `x`, row `y`.
  mutating func paste(_ other: PixelImage, x: Int, y: Int) {
    require(
      other.channels == channels && x >= 0 && y >= 0 && x + other.width <= width
        && y + other.height <= height,
      "cannot paste \(other) at (\(x), \(y)) into \(self)")
    let count = other.width * channels
    for row in 0..<other.height {
      let start = ((y + row) * width + x) * channels
      pixels.replaceSubrange(
        start..<start + count, with: other.pixels[row * count..<(row + 1) * count])
    }
  }
}
