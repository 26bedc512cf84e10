import ItoComponents
import ItoTraining

/// Opens and prepares data sets with a progress bar.
struct PictureLoader {
  let data: Recipe.Data
  let isQuiet: Bool

  func load(_ choice: ComponentChoice) throws -> ImageSet {
    var choice = choice
    if let classes = data.classes, choice.options["class-names"] == nil,
      try Registry<any DataSource>.builtin.options(of: choice.name).isEmpty
        || choice.name.lowercased() == "idx"
    {
      choice.options["class-names"] = .list(classes.map { .string($0) })
    }
    let source = try Registry<any DataSource>.builtin.make(choice)
    return try prepare(try source.open())
  }

  private func prepare(_ dataset: some Dataset) throws -> ImageSet {
    var bar = ProgressBar("preparing", unit: "picture", total: dataset.count, isShown: !isQuiet)
    let preparation = ImagePreparation(
      height: data.height, width: data.width, channels: data.keepsAlpha ? 4 : data.channels,
      fit: data.fit, background: data.background)
    let interrupt = Interrupt.watch()
    let images = try preparation.prepare(
      dataset, cache: data.cache, isCancelled: { interrupt.isRequested }
    ) { done, _ in bar.update(done) }
    bar.clear()
    if !images.skipped.isEmpty && !isQuiet {
      Terminal.note("left out \(images.skipped.count) items that cannot be used:")
      for name in images.skipped.prefix(20) { Terminal.note("  \(name)") }
    }
    return images
  }
}
