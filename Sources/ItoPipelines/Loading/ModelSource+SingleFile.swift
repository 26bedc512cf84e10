import ItoCheckpoints
import ItoComponents
import ItoModels

#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

extension ModelSource {
  /// A model whose parts lie together in one file, in the naming of its original repository.
  ///
  /// Such a file has no tokenizer. It is taken from `configurations`, else from a folder `tokenizer`
  /// beside the file, else from the folder `tokenizer`, since CLIP's is the same for all.
  ///
  /// - Parameter configurations: a folder whose configurations, scheduler and tokenizers count instead
  ///   of what the file keeps or its shapes tell.
  init(
    singleFile path: String, configurations: String?, tokenizer: String?
  ) throws(PipelineError) {
    let model = try wrapping(PipelineError.checkpoint) { () throws(CheckpointError) in
      try SingleFileCheckpoint(try Checkpoint.open(path), configurations: configurations)
    }
    guard model.isWhole else {
      throw .request(
        "\(path) is part of a \(model.family.title), without \(model.missing.joined(separator: ", ")): "
          + "name a whole model with --model, and this file with --unet, --vae or --text-encoder")
    }
    let scheduler = model.scheduler
    var components: [String: ModelComponent] = [
      "scheduler": ModelComponent(
        name: "scheduler", className: scheduler["_class_name"]?.string, path: path,
        configuration: { () throws(PipelineError) in scheduler },
        weights: { () throws(PipelineError) in throw .request("\(path): a scheduler has no weights")
        })
    ]
    for (name, part) in model.parts {
      components[name] = ModelComponent(
        name: name, className: part.className, path: path,
        configuration: { () throws(PipelineError) in part.configuration },
        weights: { () throws(PipelineError) in part.source })
    }
    let beside = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    for name in (model.index.object ?? [:]).keys where name.hasPrefix("tokenizer") {
      let folders =
        [configurations, beside].compactMap { $0 }.flatMap {
          ["\($0)/\(name)", "\($0)/tokenizer"]
        } + [tokenizer].compactMap { $0 }
      guard let folder = folders.first(where: { access($0, F_OK) == 0 }) else {
        throw .request(
          "\(path) has no tokenizer, which files of this kind never have: put a folder 'tokenizer' "
            + "beside it, or name the folder of a model that has one with --config")
      }
      components[name] = ModelComponent(name: name, className: "CLIPTokenizer", folder: folder)
    }
    self.init(path: path, index: model.index, components: components)
  }
}
