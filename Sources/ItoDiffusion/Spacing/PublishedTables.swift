import ItoComponents

/// Levels that were optimised for a family of models and published as tables of sigma/alpha.
///
/// A table of n + 1 sigmas is for n steps, the last one replaced by 0; for another number of steps the
/// logarithms are interpolated linearly over the index.
/// - Domain: for models of the process that the table was made for: SD 1.5 and SDXL share theirs, SVD is
///   EDM's up to sigma 700.
/// - Source: Sabour et al. 2024, *Align Your Steps*, arXiv:2404.14507, and its project page; Chen et al.
///   2024, *On the Trajectory Regularity of ODE-based Diffusion Sampling* (GITS), arXiv:2405.11326, the
///   authors' sigmas for SD 1.5 at coefficient 1.2.
public struct PublishedTable: StepSpacing, Hashable {
  /// Sigmas by number of steps.
  let tables: [Int: [Double]]

  /// The levels, noise falling.
  public func levels(
    count: Int, schedule: some NoiseSchedule
  ) throws(SamplingError) -> [NoiseLevel] {
    guard count > 0, let nearest = tables.keys.min(by: { abs($0 - count) < abs($1 - count) }),
      let knots = tables[nearest]
    else { throw .invalidPlan("\(count) steps; at least 1 is needed") }
    guard !schedule.isFlow else {
      throw .invalidPlan("the published tables are for models of sigma/alpha, not for flows")
    }
    let sigmas = nearest == count ? knots : resampled(knots, count: count + 1)
    return sigmas.dropLast().map { schedule.level(noiseToSignal: $0) } + [.clean]
  }
}

/// For which model a table of Align Your Steps is.
enum AlignedModel: String, CaseIterable {
  case sd15, sdxl, svd
}

extension PublishedTable {
  /// Align Your Steps.
  static let alignYourSteps = Registry<any StepSpacing>.Entry(
    name: "align-your-steps", aliases: ["ays"],
    summary: "published for SD 1.5, SDXL and SVD (model=sd15 | sdxl | svd)"
  ) { (options) throws(OptionError) in
    switch try options.choice("model", default: AlignedModel.sd15) {
    case .sd15: PublishedTable(tables: [10: stableDiffusion])
    case .sdxl: PublishedTable(tables: [10: stableDiffusionXL])
    case .svd: PublishedTable(tables: [10: stableVideoDiffusion])
    }
  }

  /// Geometry-inspired time scheduling.
  static let gits = Registry<any StepSpacing>.Entry(
    name: "gits", summary: "published for SD 1.5 by the geometry of its trajectories"
  ) { (_) throws(OptionError) in
    PublishedTable(
      tables: Dictionary(uniqueKeysWithValues: geometry.map { ($0.count - 1, $0.map(sigma)) }))
  }

  private static let stableDiffusion = [
    14.6146412293, 6.4745760956, 3.8636745985, 2.6946151520, 1.8841921177, 1.3943805092,
    0.9642583904, 0.6523686016, 0.3977456272, 0.1515232662, 0.0291671582,
  ]
  private static let stableDiffusionXL = [
    14.6146412293, 6.3184485287, 3.7681790315, 2.1811480769, 1.3405244945, 0.8620721141,
    0.5550693289, 0.3798540708, 0.2332364134, 0.1114188177, 0.0291671582,
  ]
  private static let stableVideoDiffusion = [
    700, 54.5, 15.886, 7.977, 4.248, 1.789, 0.981, 0.403, 0.173, 0.034, 0.002,
  ]

  /// What the indices of `geometry` stand for: the sigmas of the teacher's grid that the tables use.
  private static let grid = [
    14.61464119, 7.49001646, 6.77309084, 5.85520077, 4.65472794, 3.46139455, 3.07277966,
    2.95596409, 2.84484982, 2.45070267, 2.36326075, 2.19988537, 2.12350607, 2.05039096,
    1.98035145, 1.84880662, 1.67050016, 1.61558151, 1.56271636, 1.51179266, 1.36964464,
    1.24153244, 1.20157266, 1.162866, 1.08895338, 0.95350921, 0.92192322, 0.86115354, 0.83188516,
    0.803307, 0.74807048, 0.72133851, 0.69515091, 0.64427125, 0.59516323, 0.57119018, 0.52423614,
    0.50118381, 0.4783645, 0.45573691, 0.41087446, 0.38853383, 0.36617002, 0.34370604, 0.32104823,
    0.29807833, 0.27464288, 0.25053367, 0.22545385, 0.19894916, 0.17026083, 0.13792117,
    0.09824532, 0.02916753,
  ]

  private static func sigma(_ index: Int) -> Double { grid[index] }

  /// For 2 to 20 steps, as indices of `grid`.
  private static let geometry: [[Int]] = [
    [0, 29, 53],
    [0, 18, 36, 53],
    [0, 10, 26, 42, 53],
    [0, 8, 21, 34, 47, 53],
    [0, 3, 13, 25, 39, 50, 53],
    [0, 3, 9, 21, 33, 45, 52, 53],
    [0, 3, 9, 20, 29, 39, 47, 52, 53],
    [0, 3, 8, 17, 25, 34, 42, 49, 52, 53],
    [0, 3, 8, 16, 24, 30, 37, 44, 49, 52, 53],
    [0, 3, 7, 15, 21, 28, 34, 40, 46, 50, 52, 53],
    [0, 3, 6, 14, 20, 25, 32, 37, 42, 47, 50, 52, 53],
    [0, 2, 5, 10, 18, 24, 29, 34, 39, 43, 47, 50, 52, 53],
    [0, 2, 5, 9, 17, 23, 27, 33, 37, 41, 45, 48, 50, 52, 53],
    [0, 1, 4, 6, 12, 19, 24, 28, 33, 37, 41, 45, 48, 50, 52, 53],
    [0, 1, 4, 6, 12, 19, 24, 28, 33, 37, 40, 44, 47, 49, 51, 52, 53],
    [0, 1, 4, 6, 12, 19, 24, 28, 33, 37, 40, 43, 46, 48, 50, 51, 52, 53],
    [0, 1, 4, 6, 11, 17, 22, 26, 31, 35, 39, 42, 45, 47, 49, 50, 51, 52, 53],
    [0, 1, 4, 6, 11, 17, 21, 25, 30, 34, 38, 41, 44, 46, 48, 49, 50, 51, 52, 53],
    [0, 1, 4, 6, 11, 17, 21, 25, 30, 34, 37, 40, 43, 45, 47, 48, 49, 50, 51, 52, 53],
  ]
}
