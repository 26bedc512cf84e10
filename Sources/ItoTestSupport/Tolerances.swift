/// The tolerances of the test suite, each with the reason for its value.
///
/// A tolerance is never loosened in a change that also touches what it judges.
public enum Tolerances {
  /// Relative error of one element of a float32 result of an elementwise or data-moving operation:
  /// eight units in the last place (2⁻²⁴ each), room for a few roundings and a polynomial `exp`.
  public static let elementwise: Float = 5e-7

  /// Relative error of one element that sums a few hundred float32 products in another order than
  /// the reference does.
  public static let reduction: Float = 2e-5

  /// Relative error of one bfloat16 result: it keeps 8 significant bits, so rounding alone gives
  /// 2⁻⁹ and the rounding of an operand as much again.
  public static let bfloat16: Float = 8e-3

  /// Relative error of one float16 result: 11 significant bits, two roundings.
  public static let float16: Float = 1e-3

  /// Relative error of a tape gradient against central differences, with the checker's default step
  /// h of 1e-2 input scales. Truncation is h²/6 · f‴/f′, some 2e-5 for the smooth functions here;
  /// what float32 rounding adds is estimated and deducted by the checker. A wrong factor, sign or
  /// missing term shows as 1e-1 or more.
  public static let gradient: Double = 3e-3
}
