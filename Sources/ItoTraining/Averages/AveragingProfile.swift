/// How much the past of a model weighs in its average: the share that stays at each update.
public protocol AveragingProfile: Sendable {
  /// The share of the average that stays in update number `update`, counted from 1.
  ///
  /// `average ← decay·average + (1 − decay)·model`
  func decay(at update: Int) -> Double
}
