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
}
