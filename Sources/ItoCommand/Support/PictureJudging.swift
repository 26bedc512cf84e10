import ItoComponents
import ItoDiffusion
import ItoPipelines
import ItoTensors

/// Judges a set of pictures against another by every metric that applies.
struct PictureJudging {
  let pictures: PictureSet
  let reference: PictureSet?
  /// Folder of the feature extractor; nil: none.
  let extractor: String?
  /// Folders of the dual encoder and of the text encoder it was trained on; nil: none.
  let encoder: (judge: String, text: String)?
  /// What is measured; all metrics when empty.
  let metrics: [ComponentChoice]
  let bootstrap: Bootstrap
  let isQuiet: Bool

  func figures() throws -> [MetricFigure] {
    let wanted = reference.map { pictures.matches(in: $0) } ?? []
    var subject = JudgedCase(pictures: pictures, reference: reference, wanted: wanted)
    if let extractor { subject.extractor = try features(extractor, wanted) }
    if let encoder { subject.encoder = try captions(encoder.judge, encoder.text) }
    let registry = Registry<any PictureMetric>.builtin
    let chosen = metrics.isEmpty ? registry.names.map { ComponentChoice($0) } : metrics
    return try chosen.flatMap { choice in
      let metric = try registry.make(choice)
      let found = try metric.figures(of: subject, bootstrap: bootstrap)
      if found.isEmpty && !metrics.isEmpty {
        throw CommandFailure(
          "\(choice.name) cannot be measured here: it needs a reference, pairs of one size, a judge or "
            + "captions that are not there.")
      }
      return found
    }
  }

  /// Pictures and first captions in the dual encoder, of those that have captions.
  private func captions(_ judge: String, _ text: String) throws -> PictureCaptions? {
    let judge = try PictureCaptionJudge(folder: judge)
    let encoder = try TextEncoderFamily.load(folder: text)
    func see(_ set: PictureSet) throws -> (pictures: Tensor, captions: Tensor)? {
      let picks = (0..<set.count).filter { !set.captions[$0].isEmpty }
      guard !picks.isEmpty else { return nil }
      var bar = ProgressBar("matching", unit: "picture", total: set.count, isShown: !isQuiet)
      defer { bar.clear() }
      let vectors = judge.pictures(set) { bar.update($0) }
      let texts = picks.map { set.captions[$0][0] }
      let sentences = try stride(from: 0, to: texts.count, by: 64).map { start in
        let part = Array(texts[start..<min(texts.count, start + 64)])
        guard let pooled = try encoder.encode(part).pooled, pooled.shape[1] == judge.textFeatures
        else {
          throw CommandFailure(
            "\(text) is not the text encoder that \(judge.manifest.summary) was trained on.")
        }
        return judge.captions(pooled.cast(to: .float32))
      }
      let index = Tensor(picks.map { Int64($0) }, shape: [picks.count])
      return (vectors.indexSelected(index), Tensor.concatenated(sentences, axis: 0))
    }
    guard let own = try see(pictures) else { return nil }
    return PictureCaptions(
      pictures: own.pictures, captions: own.captions, real: try reference.flatMap { try see($0) })
  }

  private func features(_ folder: String, _ wanted: [Int?]) throws -> PictureFeatures {
    let judge = try PictureExtractor(folder: folder)
    func see(_ set: PictureSet, _ title: String) -> Tensor {
      var bar = ProgressBar(title, unit: "picture", total: set.count, isShown: !isQuiet)
      defer { bar.clear() }
      return judge.features(of: set) { bar.update($0) }
    }
    var result = PictureFeatures(pictures: see(pictures, "judging"))
    guard let reference else { return result }
    result.reference = see(reference, "judging the reference")
    let pairs = wanted.enumerated().compactMap { index, wanted in
      wanted.map { (picture: index, reference: $0) }
    }
    result.pairDistances = judge.distances(pictures, reference, pairs: pairs)
    return result
  }
}

extension MetricFigure {
  /// For results that programs read.
  var json: JSONValue {
    var object: JSONObject = ["name": .string(name), "value": .double(value)]
    if let interval {
      object["low"] = .double(interval.lowerBound)
      object["high"] = .double(interval.upperBound)
    }
    if let real { object["real"] = .double(real) }
    if !unit.isEmpty { object["unit"] = .string(unit) }
    object["higher_is_better"] = .bool(isBetterHigher)
    return .object(object)
  }

  /// For people: the figure, its interval, and the same figure for real pictures.
  var line: String {
    let title = name + String(repeating: " ", count: max(1, 18 - name.count))
    var text = "  \(title)\(brief(value))" + (unit.isEmpty ? "" : " " + unit)
    if let interval {
      text += "  [\(brief(interval.lowerBound)), \(brief(interval.upperBound))]"
    }
    if let real { text += "   real pictures: \(brief(real))" }
    return text
  }
}
