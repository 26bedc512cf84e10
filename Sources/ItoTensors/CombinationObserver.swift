/// Is told every linear combination as it was asked for, before coefficients are rounded.
///
/// How the order of a solver is measured beyond the precision of its samples: an observer that keeps double
/// precision beside each tensor repeats the solver's own arithmetic there. Costs a look at a task-local value
/// where there is none.
package protocol CombinationObserver: Sendable {
  /// `result` is `Σ coefficient·tensor` of `terms`.
  func combined(_ terms: [(coefficient: Double, tensor: Tensor)], into result: Tensor)
}

/// Who is told, in the current task.
package enum CombinationObservers {
  /// None unless a test sets one.
  @TaskLocal package static var current: (any CombinationObserver)?
}
