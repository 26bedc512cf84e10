import ItoComponents
import ItoImages
import ItoModels
import ItoModules
import ItoPipelines
import ItoTensors
import ItoTraining

extension TrainingSession {
  /// Trains an autoencoder and measures the scale of its latents.
  func trainAutoencoder(_ network: AutoencoderKL) throws {
    let (data, shape) = (recipe.data, network.configuration)
    guard shape.inChannels == data.channels, shape.outChannels == data.channels,
      data.height % network.factor == 0, data.width % network.factor == 0
    else {
      throw CommandFailure(
        "\(recipe.file): the network takes \(shape.inChannels) channels, gives \(shape.outChannels) and "
          + "needs sides that are multiples of \(network.factor); the data is "
          + "\(data.width)x\(data.height) of \(data.channels)")
    }
    let objective = AutoencodingObjective<AutoencoderKL>(
      klWeight: recipe.training.kl, computeType: recipe.training.precision,
      encode: { $0.encode($1) }, decode: { $0.decode($1) })
    let (training, test) = try openData()
    if data.keepsAlpha {
      try trainAutoencoder(
        network, objective, try prompted(training, nil, isTraining: true),
        try test.map { try prompted($0, nil, isTraining: false) })
    } else {
      func source(_ images: ImageSet, isTraining: Bool) throws -> ImageBatches {
        try ImageBatches(
          images, seed: recipe.seed, isShuffled: isTraining,
          augmentation: isTraining ? data.augmentation : Augmentation())
      }
      try trainAutoencoder(
        network, objective, try source(training, isTraining: true),
        try test.map { try source($0, isTraining: false) })
    }
  }

  private func trainAutoencoder<S: BatchSource>(
    _ network: AutoencoderKL, _ objective: AutoencodingObjective<AutoencoderKL>, _ data: S,
    _ test: S?
  ) throws where S.Batch == ImageBatch {
    let shown = (test ?? data).batch(at: 0, count: min(8, (test ?? data).count))
    let draws = recipe.sampling.every > 0
    let trained = try train(
      try initialized(network), objective, data, test,
      samples: draws ? { try reconstructions($0, shown.images, step: $1) } : nil)
    let batch = min(recipe.training.batch, data.count)
    let starts = stride(from: 0, to: min(data.count, 1024), by: batch)
    let deviation = objective.latentDeviation(
      of: trained, on: starts.lazy.map { data.batch(at: $0, count: batch) })
    guard deviation.isFinite, deviation > 0 else {
      throw CommandFailure("The latents' deviation is \(deviation): this autoencoder is of no use.")
    }
    // Under the names that diffusers and others look for, so that they can load it too.
    var settings = recipe.network.object ?? JSONObject()
    settings["scaling_factor"] = .double(1 / deviation)
    let manifest = ModelManifest(
      task: .autoencode, summary: recipe.summary, network: .object(settings),
      weights: "diffusion_pytorch_model.safetensors", height: recipe.data.height,
      width: recipe.data.width, channels: recipe.data.channels, labels: [], provenance: provenance)
    try makeFolder(output)
    try AtomicFile.write(
      output + "/config.json", bytes: JSONValue.object(settings).utf8(.pretty))
    note("latents have a standard deviation of \(brief(deviation)); scaling_factor is its inverse")
    try write(manifest, trained)
  }

  /// Draws a sheet of pictures over what the autoencoder makes of them; returns its file.
  private func reconstructions(
    _ model: AutoencoderKL, _ pictures: Tensor, step: Int
  ) throws -> String {
    let type = recipe.training.precision
    let own = model.converted(to: type)
    let made = own.decode(own.encode(pictures.cast(to: type)).mean).cast(to: .float32)
    var sheet = ContactSheet(columns: pictures.shape[0])
    sheet.rowLabels = ["picture", "decoded"]
    let images = try PixelImage.images(
      from: Tensor.concatenated([pictures, made], axis: 0), range: .signed)
    let digits = String(step)
    let file =
      "\(run)/samples/step-" + String(repeating: "0", count: max(0, 8 - digits.count)) + digits
      + ".png"
    try makeFolder(run + "/samples")
    try sheet.draw(images).write(file)
    return file
  }

  /// The codec as the finished model names it, with what it needs copied into the model's folder.
  func portable(_ codec: any LatentCodec) throws -> ComponentChoice {
    guard let codec = codec as? FolderCodec else { return recipe.diffusion.codec }
    let name = "autoencoder"
    try copyFolder(codec.path, to: "\(output)/\(name)", except: "")
    return ComponentChoice(FolderCodec.name, options: ["path": .string(name)])
  }
}
