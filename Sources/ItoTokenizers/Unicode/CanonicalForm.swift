/// The canonical normalisation forms of Unicode, which the standard library applies when it compares
/// strings but does not hand out.
///
/// - Source: Unicode Standard Annex 15, *Unicode Normalization Forms*; The Unicode Standard, §3.11 and
///   §3.12 (Hangul syllables).
public enum CanonicalForm {
  /// Form D: every character decomposed, marks in canonical order.
  public static func decomposed(_ text: some Sequence<Unicode.Scalar>) -> [Unicode.Scalar] {
    var result: [Unicode.Scalar] = []
    for scalar in text { append(scalar, to: &result) }
    order(&result)
    return result
  }

  /// Form C: decomposed, then composed where a single character exists.
  public static func composed(_ text: some Sequence<Unicode.Scalar>) -> [Unicode.Scalar] {
    let scalars = Array(text)
    // Everything before the combining marks is in form C already.
    if scalars.allSatisfy({ $0.value < 0x300 }) { return scalars }
    let source = decomposed(scalars)
    var result: [Unicode.Scalar] = []
    var starter: Int?
    var lastClass = 0
    for scalar in source {
      let combining = Int(scalar.properties.canonicalCombiningClass.rawValue)
      // A mark is blocked by one of its own or a higher class between it and the starter.
      if let at = starter, at == result.count - 1 || lastClass < combining,
        let whole = composite(result[at], scalar)
      {
        result[at] = whole
        continue
      }
      if combining == 0 { starter = result.count }
      lastClass = combining
      result.append(scalar)
    }
    return result
  }

  private static func append(_ scalar: Unicode.Scalar, to result: inout [Unicode.Scalar]) {
    if scalar.value < 0xC0 { return result.append(scalar) }
    if let syllable = Hangul.decomposed(scalar) { return result += syllable }
    guard let parts = CanonicalTable.shared.parts[scalar] else { return result.append(scalar) }
    append(parts.first, to: &result)
    if let second = parts.second { append(second, to: &result) }
  }

  /// Sorts each run of marks by class; marks of one class keep their order.
  private static func order(_ scalars: inout [Unicode.Scalar]) {
    let classes = scalars.map { $0.properties.canonicalCombiningClass.rawValue }
    var start = 0
    while start < classes.count {
      guard classes[start] != 0 else {
        start += 1
        continue
      }
      let end = classes[start...].firstIndex(of: 0) ?? classes.count
      let sorted = (start..<end).sorted { (classes[$0], $0) < (classes[$1], $1) }
      scalars.replaceSubrange(start..<end, with: sorted.map { scalars[$0] })
      start = end
    }
  }

  private static func composite(_ a: Unicode.Scalar, _ b: Unicode.Scalar) -> Unicode.Scalar? {
    Hangul.composed(a, b) ?? CanonicalTable.shared.composites[.init(first: a, second: b)]
  }
}

/// One step of decomposition for every character that has one, and the way back.
private struct CanonicalTable: Sendable {
  struct Parts: Hashable {
    var first: Unicode.Scalar
    var second: Unicode.Scalar?
  }

  static let shared = CanonicalTable()
  private(set) var parts: [Unicode.Scalar: Parts] = [:]
  private(set) var composites: [Parts: Unicode.Scalar] = [:]

  private init() {
    var code: UInt32 = 0
    for word in canonicalDecompositions.description.split(whereSeparator: \.isWhitespace) {
      if word.last == ":" {
        code = UInt32(word.dropLast(), radix: 16) ?? 0
        continue
      }
      let codes = word.split(separator: "+").compactMap {
        UInt32($0, radix: 16).flatMap(Unicode.Scalar.init)
      }
      if let whole = Unicode.Scalar(code), let first = codes.first {
        let found = Parts(first: first, second: codes.count > 1 ? codes[1] : nil)
        parts[whole] = found
        // Excluded from composition: single characters, marks, and a few scripts by convention.
        if !whole.properties.isFullCompositionExclusion { composites[found] = whole }
      }
      code += 1
    }
  }
}

/// The syllables of Korean, which are made of letters by arithmetic.
private enum Hangul {
  private static let (leads, vowels, tails): (UInt32, UInt32, UInt32) = (19, 21, 28)
  private static let (syllable, lead, vowel, tail): (UInt32, UInt32, UInt32, UInt32) =
    (0xAC00, 0x1100, 0x1161, 0x11A7)

  static func decomposed(_ scalar: Unicode.Scalar) -> [Unicode.Scalar]? {
    guard scalar.value >= syllable, scalar.value < syllable + leads * vowels * tails else {
      return nil
    }
    let index = scalar.value - syllable
    let codes = [
      lead + index / (vowels * tails), vowel + index / tails % vowels, tail + index % tails,
    ]
    return codes.prefix(index % tails == 0 ? 2 : 3).compactMap(Unicode.Scalar.init)
  }

  static func composed(_ a: Unicode.Scalar, _ b: Unicode.Scalar) -> Unicode.Scalar? {
    if (lead..<lead + leads).contains(a.value), (vowel..<vowel + vowels).contains(b.value) {
      return Unicode.Scalar(syllable + ((a.value - lead) * vowels + b.value - vowel) * tails)
    }
    let index = a.value &- syllable
    if index < leads * vowels * tails, index % tails == 0,
      (tail + 1..<tail + tails).contains(b.value)
    {
      return Unicode.Scalar(a.value + b.value - tail)
    }
    return nil
  }
}
