extension Unicode.Scalar {
  /// `\p{L}` of regular expressions: general category L.
  var isLetter: Bool {
    switch properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: true
    default: false
    }
  }

  /// `\p{N}` of regular expressions: general category N.
  var isNumber: Bool {
    switch properties.generalCategory {
    case .decimalNumber, .letterNumber, .otherNumber: true
    default: false
    }
  }

  /// `\s` of regular expressions: the property White_Space.
  var isSpace: Bool { properties.isWhitespace }
}
