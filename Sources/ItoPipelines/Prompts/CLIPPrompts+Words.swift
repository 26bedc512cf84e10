import ItoCheckpoints
import ItoModels
import ItoTensors
import ItoTokenizers

extension CLIPPrompts.Part {
  /// Makes a learned word known: its name becomes tokens of their own, its vectors their embeddings.
  ///
  /// A word of several vectors stands for as many tokens in a row.
  /// - Parameter name: which of the model's text encoders this is, as files name them.
  mutating func learn(
    _ word: TextualInversion, as name: String
  ) throws(PipelineError) {
    guard let vectors = word.vectors[name] else { return }
    let table = encoder.tokenEmbeddings
    guard vectors.shape[1] == table.shape[1] else {
      throw .request(
        "the embedding \"\(word.word)\" has \(vectors.shape[1]) features and the \(name) has "
          + "\(table.shape[1]): it is for another kind of model")
    }
    var names: [String] = []
    var rows = [table]
    var next = table.shape[0]
    for k in 0..<vectors.shape[0] {
      names.append(k == 0 ? word.word : "\(word.word)_\(k)")
      let number = Int(tokenizer.add(names[k]))
      guard number >= next else {
        throw .request(
          "the embedding \"\(word.word)\" has the name of a word that the model knows already; "
            + "rename the file")
      }
      // A vocabulary may be larger than the table is.
      if number > next {
        rows.append(Tensor(zeros: [number - next, table.shape[1]], dtype: table.dtype))
      }
      rows.append(vectors.sliced(k..<k + 1, axis: 0).cast(to: table.dtype))
      next = number + 1
    }
    encoder.tokenEmbeddings = Tensor.concatenated(rows, axis: 0)
    expansions.append((word.word, names.joined(separator: " ")))
    expansions.sort { $0.word.count > $1.word.count }
  }

  /// The tokens of `text`, learned words included, without marks.
  func tokens(in text: String) -> [Int32] {
    var text = text
    for (word, expansion) in expansions where word != expansion {
      text = text.split(separator: word, omittingEmptySubsequences: false).joined(
        separator: expansion)
    }
    return tokenizer.tokens(in: text)
  }
}
