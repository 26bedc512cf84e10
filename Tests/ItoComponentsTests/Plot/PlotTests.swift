import Testing

@testable import ItoComponents

@Suite struct PlotTests {
  private func count(_ needle: String, in text: String) -> Int {
    text.split(separator: needle, omittingEmptySubsequences: false).count - 1
  }

  @Test(
    "Ticks are round numbers that span the data",
    arguments: [
      (0.0, 10.0, [0.0, 2, 4, 6, 8, 10]), (0.12, 0.38, [0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4]),
      (-5, 5, [-6, -4, -2, 0, 2, 4, 6]),
    ])
  func linearTicks(low: Double, high: Double, ticks: [Double]) {
    let scale = PlotScale(Plot.Axis("x"), values: [low, high, .nan])
    #expect(scale.ticks.count == ticks.count)
    for (a, b) in zip(scale.ticks, ticks) { #expect(abs(a - b) < 1e-12) }
    #expect(scale.low <= low && scale.high >= high)
  }

  @Test("A logarithmic axis has equal ratios at equal distances and no place for zero")
  func logarithm() throws {
    let scale = PlotScale(Plot.Axis("y", isLogarithmic: true), values: [0, -1, 0.01, 100])
    #expect(scale.ticks.map(PlotScale.text) == ["0.01", "0.1", "1", "10", "100"])
    #expect(abs(try #require(scale.place(1)) - 0.5) < 1e-12)
    #expect(scale.place(0) == nil)
    let narrow = PlotScale(Plot.Axis("y", isLogarithmic: true), values: [0.31, 0.39])
    #expect(narrow.ticks.count >= 2)
  }

  @Test(
    "Values without a span, or none at all, still make a chart",
    arguments: [[], [0.0], [3.0], [.nan]])
  func degenerate(values: [Double]) {
    for isLogarithmic in [false, true] {
      let scale = PlotScale(Plot.Axis("x", isLogarithmic: isLogarithmic), values: values)
      #expect(scale.low < scale.high)
      #expect(!scale.ticks.isEmpty)
    }
  }

  @Test(
    "Numbers in the fewest digits",
    arguments: [
      (0.0, "0"), (1500, "1500"), (0.1 + 0.2, "0.3"), (1e-5, "1e-5"), (2.5e7, "2.5e7"),
      (-0.25, "-0.25"),
    ])
  func numbers(value: Double, text: String) { #expect(PlotScale.text(value) == text) }

  @Test("Points are where the axes say; a gap ends the line; text is escaped")
  func document() {
    let plot = Plot(
      title: "a < b & \"c\"", x: Plot.Axis("x", range: 0...10), y: Plot.Axis("y", range: 0...1),
      series: [
        Plot.Series("one", points: [(0, 0), (5, .nan), (10, 1), (20, 1)], hasMarks: true),
        Plot.Series(
          "two", points: [Plot.Series.Point(5, 0.5, interval: 0.25...0.75, label: "here")],
          hasLine: false),
      ])
    let svg = plot.svg()
    #expect(svg == plot.svg())
    #expect(svg.contains("a &lt; b &amp; &quot;c&quot;"))
    // The frame is from 70 to 656.2 and from 40 to 392.
    #expect(svg.contains("<path d=\"M70 392M656.2 40\" fill=\"none\""))
    #expect(count("<circle", in: svg) == 2 + 1)
    #expect(svg.contains("<path d=\"M363.1 304V128\""))
    #expect(svg.contains(">here</text>"))
    #expect(svg.hasPrefix("<svg ") && svg.hasSuffix("</svg>\n"))
  }

  @Test("Long names widen the picture and leave the frame two thirds of its width")
  func longNames() {
    func svg(_ name: String) -> String {
      Plot(
        x: Plot.Axis("x"), y: Plot.Axis("y"), series: [Plot.Series(name, points: [(0, 0), (1, 1)])]
      ).svg()
    }
    // A character has 6.6 points, and the line before the name 44: 240 are a third of the width.
    #expect(
      svg(String(repeating: "n", count: 29)).hasPrefix(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"720\""))
    let long = svg(String(repeating: "n", count: 60))
    #expect(long.contains(" width=\"920\" height=\"440\" viewBox=\"0 0 920 440\""))
    #expect(long.contains("<rect x=\"70\" y=\"16\" width=\"410\""))
  }

  @Test("Thirty-two series can be told apart, by their lines and by their marks")
  func looks() {
    let styles = (0..<32).map { Plot.Style(series: $0) }
    #expect(Set(styles.map { $0.color + $0.dashes }).count == 32)
    #expect(Set(styles.map { "\($0.color) \($0.mark)" }).count == 32)
    func svg(_ count: Int, hasLine: Bool) -> String {
      let series = (0..<count).map {
        Plot.Series("s\($0)", points: [(0, 0), (1, 1)], hasLine: hasLine, hasMarks: true)
      }
      return Plot(x: Plot.Axis("x"), y: Plot.Axis("y"), series: series).svg()
    }
    // Of each line past the eighth, it and its place in the legend are broken.
    #expect(count("stroke-dasharray", in: svg(8, hasLine: true)) == 0)
    #expect(count("stroke-dasharray", in: svg(11, hasLine: true)) == 6)
    #expect(count("<circle", in: svg(8, hasLine: false)) == 8 * 3)
    #expect(count("<circle", in: svg(32, hasLine: false)) == 8 * 3)
    #expect(count("z\" fill=", in: svg(32, hasLine: false)) == 24 * 3)
  }
}
