/// More than this share of unusable items stops a run: the data is then not what was meant.
let tolerableShareOfBadItems = 0.01

/// Fails when `bad` names more than 1 % of `count` items.
func checkShare(of bad: [String], in count: Int) throws(DataError) {
  if Double(bad.count) > tolerableShareOfBadItems * Double(count) {
    throw .tooManyBadItems(bad: bad.count, of: count, items: bad)
  }
}

extension ImageSet {
  /// The set without the pictures whose label is not in `0 ..< classCount`; `name` says where picture
  /// `i` came from.
  func droppingBadLabels(
    classCount: Int, name: (Int) -> String
  ) throws(DataError) -> ImageSet {
    let bad = labels.indices.filter { labels[$0] < 0 || labels[$0] >= classCount }
    if bad.isEmpty { return self }
    let reasons = bad.map { "\(name($0)): label \(labels[$0]) of \(classCount) classes" }
    try checkShare(of: reasons, in: count)
    let dropped = Set(bad)
    var result = keeping((0..<count).filter { !dropped.contains($0) })
    result.skipped += reasons
    return result
  }
}
