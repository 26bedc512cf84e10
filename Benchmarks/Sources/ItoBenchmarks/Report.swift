import Glibc
import Ito

/// Prints one JSON object as one line, at once.
func emit(_ object: JSONObject) {
  print(JSONValue.object(object).text())
  fflush(nil)
}

extension JSONValue {
  /// `value` to `digits` significant digits.
  static func rounded(_ value: Double, _ digits: Int = 4) -> JSONValue {
    guard value.isFinite, value != 0 else { return value == 0 ? .double(0) : .null }
    let scale = pow(10, Double(digits - 1) - floor(log10(abs(value))))
    return .double((value * scale).rounded() / scale)
  }
}
