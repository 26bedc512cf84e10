import ArgumentParser
import ItoImages
import ItoPipelines

/// Pictures of a run that is not finished.
struct PreviewOptions: ParsableArguments {
  @Option(help: "Write what the picture looks like every K steps.")
  var preview: Int?

  @Option(help: "Where previews go.")
  var previewPath = "preview.png"

  @Option(help: "The folder of a small autoencoder (TAESD) to preview with.")
  var taesd: String?

  mutating func validate() throws {
    if let preview, preview < 1 {
      throw ValidationError("--preview \(preview): at least 1 is needed.")
    }
    if taesd != nil && preview == nil {
      throw ValidationError("--taesd is for previews: say how often with --preview K.")
    }
    if ImageFormat(pathExtension: previewPath) == nil {
      throw ValidationError("--preview-path \(previewPath): end it in .png, .jpg or .webp.")
    }
  }

  /// `generator` with the preview that was asked for.
  func prepare(_ generator: ImageGenerator) throws -> ImageGenerator {
    var generator = generator
    if let taesd { generator.preview = try CodecPreview(folder: taesd) }
    return generator
  }

  /// Writes the preview of a step, if it is its turn.
  func show(_ progress: GenerationProgress, _ generator: ImageGenerator) throws {
    guard let preview, progress.done % preview == 0 else { return }
    let images = generator.preview(progress)
    guard let first = images.first else { return }
    let page = images.count == 1 ? first : ContactSheet(columns: images.count).draw(images)
    try page.write(previewPath)
  }
}
