/// A chart of curves and points, written as SVG.
///
///     var plot = Plot(title: "Held-out loss", x: Plot.Axis("step"), y: Plot.Axis("loss", isLogarithmic: true))
///     plot.series = [Plot.Series("adamw", points: [(0, 1), (100, 0.4)])]
///     try AtomicFile.write("loss.svg", bytes: Array(plot.svg().utf8))
///
/// The same values give the same bytes. Points with a coordinate that is not finite, or that is not
/// positive on a logarithmic axis, are left out and end the line before them.
public struct Plot: Sendable {
  /// Above the chart; empty: nothing.
  public var title: String
  /// The axis below.
  public var x: Axis
  /// The axis at the left.
  public var y: Axis
  /// What is drawn, in order; the order also chooses colours, dashes and marks.
  public var series: [Series]
  /// Width of the whole picture in points; it is wider when the names in the legend need more than a third of it.
  public var width: Double
  /// Height of the whole picture in points.
  public var height: Double

  /// A chart of 720 × 440 points.
  public init(
    title: String = "", x: Axis, y: Axis, series: [Series] = [], width: Double = 720,
    height: Double = 440
  ) {
    self.title = title
    self.x = x
    self.y = y
    self.series = series
    self.width = width
    self.height = height
  }

  /// One direction of a chart.
  public struct Axis: Sendable {
    /// What is measured, with its unit.
    public var label: String
    /// Whether equal distances are equal ratios.
    public var isLogarithmic: Bool
    /// The values at the ends; nil: those of the data, rounded outwards.
    public var range: ClosedRange<Double>?

    /// An axis; linear and as wide as the data unless told otherwise.
    public init(
      _ label: String, isLogarithmic: Bool = false, range: ClosedRange<Double>? = nil
    ) {
      self.label = label
      self.isLogarithmic = isLogarithmic
      self.range = range
    }
  }

  /// Points that belong together.
  public struct Series: Sendable {
    /// A place in the chart.
    public struct Point: Sendable {
      /// Where it is.
      public var x: Double
      /// Where it is.
      public var y: Double
      /// The ends of a vertical bar through the point, such as a confidence interval; nil: none.
      public var interval: ClosedRange<Double>?
      /// Written beside the point; empty: nothing.
      public var label: String

      /// A point.
      public init(
        _ x: Double, _ y: Double, interval: ClosedRange<Double>? = nil, label: String = ""
      ) {
        self.x = x
        self.y = y
        self.interval = interval
        self.label = label
      }
    }

    /// Its name in the legend.
    public var name: String
    /// Its points; the line joins them in this order.
    public var points: [Point]
    /// Whether a line joins them.
    public var hasLine: Bool
    /// Whether each is marked.
    public var hasMarks: Bool

    /// A series; a line without marks unless told otherwise.
    public init(_ name: String, points: [Point], hasLine: Bool = true, hasMarks: Bool = false) {
      self.name = name
      self.points = points
      self.hasLine = hasLine
      self.hasMarks = hasMarks
    }

    /// As above from pairs of numbers.
    public init(
      _ name: String, points: [(x: Double, y: Double)], hasLine: Bool = true, hasMarks: Bool = false
    ) {
      self.init(
        name, points: points.map { Point($0.x, $0.y) }, hasLine: hasLine, hasMarks: hasMarks)
    }
  }

  /// Colours that people with colour blindness can tell apart. Past them they come again with other dashes
  /// and marks.
  ///
  /// - Source: Okabe & Ito 2008, *Color Universal Design*, jfly.uni-koeln.de/color.
  public static let colors = [
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#8C6D00",
  ]

  /// How the line of a series is broken, by how often the colours were gone through before it; empty: not.
  static let dashes = ["", "7 3", "2 3", "10 3 2 3"]

  /// The look of a series' line and marks; 32 can be told apart.
  struct Style {
    var color: String
    /// The attribute that breaks a line, empty for none.
    var dashes: String
    /// Number of the mark's shape: circle, square, triangle, diamond.
    var mark: Int

    init(series number: Int) {
      color = Plot.colors[number % Plot.colors.count]
      mark = number / Plot.colors.count % Plot.dashes.count
      dashes = mark == 0 ? "" : " stroke-dasharray=\"\(Plot.dashes[mark])\""
    }
  }
}
