import ItoDiffusion
public import ItoModules
public import ItoTensors

/// Trains a dual encoder: in a batch, each picture must find its own caption, and each caption its own
/// picture.
///
/// `−½·mean(log softmax(s·PTᵀ)ᵢᵢ + log softmax(s·TPᵀ)ᵢᵢ)` for unit vectors P of pictures and T of captions;
/// captions of the batch that are the same share the target.
///
/// - Source: Radford et al. 2021, arXiv:2103.00020, figure 3; shared targets after Khosla et al. 2020,
///   *Supervised Contrastive Learning*, arXiv:2004.11362, equation 2.
public struct ContrastiveObjective<M: Module>: TrainingObjective {
  /// Unit vectors of pictures and of sentence vectors, `[batch, features]` each, and the scale, `[1]`.
  public var encode:
    @Sendable (M, _ pictures: Tensor, _ sentences: Tensor) -> (
      pictures: Tensor, texts: Tensor, scale: Tensor
    )
  /// Element type the pictures are given in.
  public var computeType: DType

  /// An objective for a model evaluated by `encode`.
  public init(
    computeType: DType = .float32,
    encode:
      @escaping @Sendable (M, _ pictures: Tensor, _ sentences: Tensor) -> (
        pictures: Tensor, texts: Tensor, scale: Tensor
      )
  ) {
    self.encode = encode
    self.computeType = computeType
  }

  /// The mean over the batch. Its `conditioning.pooled` holds the captions' sentence vectors.
  public func loss(of model: M, on batch: ImageBatch, noise: inout NoiseSource) -> Tensor {
    let sentences = sentences(of: batch)
    let encoded = encoded(model, batch, sentences)
    let logits = encoded.pictures.linear(encoded.texts) * encoded.scale
    let targets = targets(sentences)
    return 0.5 * (crossEntropy(logits, targets) + crossEntropy(logits.transposed(), targets))
  }

  /// `loss`, and `retrieval`: the share of pictures that are nearest to their own caption in the batch.
  public func measures(
    of model: M, on batch: ImageBatch, noise: inout NoiseSource
  ) -> [(name: String, value: Double)] {
    let sentences = sentences(of: batch)
    let encoded = encoded(model, batch, sentences)
    let nearest = encoded.pictures.linear(encoded.texts).argMax(axis: -1).integers
    let targets = targets(sentences).scalars
    let hits = nearest.enumerated().count { targets[$0 * batch.count + $1] > 0 }
    return [
      ("loss", Double(loss(of: model, on: batch, noise: &noise).item)),
      ("retrieval", Double(hits) / Double(max(1, batch.count))),
    ]
  }

  private func sentences(of batch: ImageBatch) -> Tensor {
    guard let sentences = batch.conditioning.pooled else {
      trap("contrastive training needs captions' sentence vectors with every picture")
    }
    return sentences.cast(to: .float32)
  }

  private func encoded(
    _ model: M, _ batch: ImageBatch, _ sentences: Tensor
  ) -> (pictures: Tensor, texts: Tensor, scale: Tensor) {
    encode(model, batch.images.cast(to: computeType), sentences)
  }

  /// Row i: 1 over the number of captions equal to caption i, at those.
  private func targets(_ sentences: Tensor) -> Tensor {
    let (count, features) = (sentences.shape[0], sentences.shape[1])
    let values = sentences.scalars
    let rows = (0..<count).map { Array(values[($0 * features)..<(($0 + 1) * features)]) }
    var result = [Float](repeating: 0, count: count * count)
    for i in 0..<count {
      let same = (0..<count).filter { $0 == i || rows[$0] == rows[i] }
      for j in same { result[i * count + j] = 1 / Float(same.count) }
    }
    return Tensor(result, shape: [count, count])
  }

  private func crossEntropy(_ logits: Tensor, _ targets: Tensor) -> Tensor {
    let centred = logits - logits.detached().max(axes: [-1], keepingAxes: true)
    let logSum = centred.exp().sum(axes: [-1], keepingAxes: true).log()
    return ((logSum - centred) * targets).sum() / Double(targets.shape[0])
  }
}
