import ItoComponents
import ItoPipelines
import ItoTensors

// Judging any pictures against any others.
extension Evaluate {
  func compare(with reference: String) throws {
    let real = try PictureCollection(path: reference, isQuiet: shared.json).load()
    let shape = real.pixels.shape
    let own: PictureSet
    if let pictures {
      own = try PictureCollection(path: pictures, isQuiet: shared.json).load(
        height: shape[1], width: shape[2])
    } else {
      let wanted =
        try asked.map { try PictureCollection(path: $0, isQuiet: shared.json).load() } ?? real
      own = try drawn(as: wanted)
    }
    let judging = PictureJudging(
      pictures: own, reference: real, extractor: try extractor.map { try ModelLocator.folder($0) },
      encoder: try encoder.map {
        (
          try ModelLocator.folder($0),
          try textEncoder ?? ModelLocator.folder("emoji") + "/text_encoder"
        )
      },
      metrics: try (metrics ?? "").split(separator: ",").map {
        try ComponentChoice(parsing: String($0))
      },
      bootstrap: Bootstrap(resamples: resamples, seed: seed), isQuiet: shared.json)
    let figures = try judging.figures()
    if shared.json {
      let object: JSONObject = [
        "pictures": .integer(Int64(own.count)), "reference": .integer(Int64(real.count)),
        "figures": .array(figures.map(\.json)),
      ]
      Terminal.output(JSONValue.object(object).text())
    } else {
      Terminal.output("\(own.count) pictures beside \(real.count) of \(reference)")
      for figure in figures { Terminal.output(figure.line) }
    }
  }

  /// Pictures drawn from the first captions of up to `count` pictures of `wanted`, evenly spaced.
  private func drawn(as wanted: PictureSet) throws -> PictureSet {
    let generator = try ImageGenerator(
      folder: try ModelLocator.folder(target), precision: try parsedPrecision())
    let captioned = (0..<wanted.count).filter { !wanted.captions[$0].isEmpty }
    let number = min(count, captioned.count)
    let picks = (0..<number).map { captioned[$0 * captioned.count / number] }
    guard number > 0 else {
      throw CommandFailure("\(asked ?? reference ?? "") has no captions to draw from.")
    }
    let prompts = picks.map { Prompt(wanted.captions[$0][0]) }
    let tensor = try draw(try request(prompts), generator)
    return PictureSet(
      drawn: tensor, names: picks.map { wanted.names[$0] },
      captions: picks.map { wanted.captions[$0] },
      concepts: wanted.concepts.isEmpty ? [] : picks.map { wanted.concepts[$0] })
  }
}
