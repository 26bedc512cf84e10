extension Plot {
  /// The chart as an SVG document with a white ground: axes, grid, curves, legend.
  public func svg() -> String { PlotDrawing(self).document() }
}

/// The elements of a chart, drawn one after the other.
private struct PlotDrawing {
  let plot: Plot
  let xScale: PlotScale
  let yScale: PlotScale
  /// The plot's, or more for long names.
  let width: Double
  /// The frame's edges.
  let left = 70.0
  let top: Double
  let right: Double
  let bottom: Double
  var lines: [String] = []

  init(_ plot: Plot) {
    self.plot = plot
    let points = plot.series.flatMap(\.points)
    xScale = PlotScale(plot.x, values: points.map(\.x))
    yScale = PlotScale(
      plot.y,
      values: points.flatMap { point in
        [point.y] + (point.interval.map { [$0.lowerBound, $0.upperBound] } ?? [])
      })
    top = plot.title.isEmpty ? 16 : 40
    let names = plot.series.map(\.name).filter { !$0.isEmpty }
    let longest = names.map(\.count).max() ?? 0
    let legend = names.isEmpty ? 16 : 44 + 6.6 * Double(longest)
    right = plot.width - min(plot.width / 3, legend)
    width = right + legend
    bottom = plot.height - 48
  }

  func document() -> String {
    var drawing = self
    drawing.put(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"\(f(width))\" "
        + "height=\"\(f(plot.height))\" viewBox=\"0 0 \(f(width)) \(f(plot.height))\" "
        + "font-family=\"sans-serif\" font-size=\"12\">")
    drawing.put("<rect width=\"100%\" height=\"100%\" fill=\"white\"/>")
    drawing.addAxes()
    for (number, series) in plot.series.enumerated() {
      drawing.add(series, Plot.Style(series: number))
    }
    drawing.addLegend()
    drawing.put("</svg>")
    return drawing.lines.joined(separator: "\n") + "\n"
  }

  private mutating func put(_ line: String) { lines.append(line) }

  private mutating func text(
    _ content: String, _ x: Double, _ y: Double, anchor: String = "middle", extra: String = ""
  ) {
    put(
      "<text x=\"\(f(x))\" y=\"\(f(y))\" text-anchor=\"\(anchor)\"\(extra)>\(escaped(content))</text>"
    )
  }

  private mutating func addAxes() {
    if !plot.title.isEmpty {
      text(plot.title, (left + right) / 2, 24, extra: " font-size=\"15\" font-weight=\"bold\"")
    }
    for tick in xScale.ticks {
      guard let x = column(tick) else { continue }
      put("<path d=\"M\(f(x)) \(f(top))V\(f(bottom))\" stroke=\"#ddd\"/>")
      text(PlotScale.text(tick), x, bottom + 16)
    }
    for tick in yScale.ticks {
      guard let y = row(tick) else { continue }
      put("<path d=\"M\(f(left)) \(f(y))H\(f(right))\" stroke=\"#ddd\"/>")
      text(PlotScale.text(tick), left - 6, y + 4, anchor: "end")
    }
    put(
      "<rect x=\"\(f(left))\" y=\"\(f(top))\" width=\"\(f(right - left))\" "
        + "height=\"\(f(bottom - top))\" fill=\"none\" stroke=\"#444\"/>")
    text(plot.x.label, (left + right) / 2, bottom + 36)
    let middle = (top + bottom) / 2
    text(plot.y.label, 16, middle, extra: " transform=\"rotate(-90 16 \(f(middle)))\"")
  }

  private mutating func add(_ series: Plot.Series, _ style: Plot.Style) {
    var path = ""
    var isDown = false
    for point in series.points {
      guard let x = column(point.x), let y = row(point.y) else {
        isDown = false
        continue
      }
      path += "\(isDown ? "L" : "M")\(f(x)) \(f(y))"
      isDown = true
      if let interval = point.interval, let low = row(interval.lowerBound),
        let high = row(interval.upperBound)
      {
        put(
          "<path d=\"M\(f(x)) \(f(low))V\(f(high))\" stroke=\"\(style.color)\" stroke-width=\"1\"/>"
        )
      }
      if series.hasMarks { mark(x, y, radius: 3, style) }
      if !point.label.isEmpty { text(point.label, x + 5, y - 5, anchor: "start") }
    }
    if series.hasLine, !path.isEmpty {
      put(
        "<path d=\"\(path)\" fill=\"none\" stroke=\"\(style.color)\" stroke-width=\"1.8\""
          + "\(style.dashes)/>")
    }
  }

  private mutating func mark(_ x: Double, _ y: Double, radius r: Double, _ style: Plot.Style) {
    let fill = "fill=\"\(style.color)\"/>"
    switch style.mark {
    case 1:
      put("<path d=\"M\(f(x - r)) \(f(y - r))h\(f(2 * r))v\(f(2 * r))h\(f(-2 * r))z\" \(fill)")
    case 2:
      put(
        "<path d=\"M\(f(x)) \(f(y - 1.3 * r))l\(f(1.2 * r)) \(f(2.2 * r))h\(f(-2.4 * r))z\" \(fill)"
      )
    case 3:
      let d = 1.4 * r
      put(
        "<path d=\"M\(f(x)) \(f(y - d))l\(f(d)) \(f(d))l\(f(-d)) \(f(d))l\(f(-d)) \(f(-d))z\" \(fill)"
      )
    default: put("<circle cx=\"\(f(x))\" cy=\"\(f(y))\" r=\"\(f(r))\" \(fill)")
    }
  }

  private mutating func addLegend() {
    var y = top + 12
    for (number, series) in plot.series.enumerated() where !series.name.isEmpty {
      let style = Plot.Style(series: number)
      if series.hasLine {
        put(
          "<path d=\"M\(f(right + 4)) \(f(y - 4))h26\" stroke=\"\(style.color)\" stroke-width=\"2.5\""
            + "\(style.dashes)/>")
      } else {
        mark(right + 19, y - 4, radius: 4, style)
      }
      text(series.name, right + 34, y, anchor: "start")
      y += 18
    }
  }

  /// Nil outside the frame.
  private func column(_ value: Double) -> Double? {
    xScale.place(value).flatMap {
      (-1e-6...1.000001).contains($0) ? left + $0 * (right - left) : nil
    }
  }

  private func row(_ value: Double) -> Double? {
    yScale.place(value).flatMap {
      (-1e-6...1.000001).contains($0) ? bottom - $0 * (bottom - top) : nil
    }
  }

  /// A tenth of a point is finer than any screen.
  private func f(_ value: Double) -> String {
    let tenths = (value * 10).rounded() / 10
    return tenths == tenths.rounded() ? "\(Int(tenths))" : "\(tenths)"
  }

  private func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      // XML has no way to write other control characters.
      default: result += scalar.value < 32 ? " " : String(scalar)
      }
    }
    return result
  }
}
