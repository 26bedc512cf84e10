import ItoComponents
import ItoDiffusion
import ItoTensors

/// Prompts of a model that knows a list of classes: a name, the beginning of one, or a number.
///
/// Guidance pushes away from the class after the last, which stands for none. A model without classes
/// takes the empty prompt.
public struct LabelPrompts: PromptEncoder {
  /// The names in the order of their numbers.
  public let labels: [String]

  /// Prompts of a model with these classes.
  public init(labels: [String]) { self.labels = labels }

  /// The label as asked for, and the null class.
  public func encode(
    _ prompt: Prompt, for picture: PictureFacts
  ) throws(PipelineError) -> PromptConditioning {
    guard !labels.isEmpty else {
      guard prompt.text.isEmpty || prompt.text == "0" else {
        throw .request("this model draws one kind of picture and takes no prompt")
      }
      return PromptConditioning()
    }
    func conditioning(_ label: Int) -> Conditioning {
      Conditioning(label: Tensor([Int32(label)], shape: [1]))
    }
    let negative = try prompt.negative.map { text throws(PipelineError) in try number(of: text) }
    return PromptConditioning(
      positive: conditioning(try number(of: prompt.text)),
      negative: conditioning(negative ?? labels.count))
  }

  /// The number of the class that `text` names: a number, a name, one of several names with commas between
  /// them, or part of exactly one class's names, where only letters and digits count.
  ///
  /// - Throws: when it names none, or several; the message says which.
  public func number(of text: String) throws(PipelineError) -> Int {
    if let number = Int(text) {
      guard labels.indices.contains(number) else {
        throw .request(
          "class \(number) does not exist; this model has classes 0 to \(labels.count - 1)")
      }
      return number
    }
    func plain(_ text: some StringProtocol) -> String {
      text.lowercased().filter { $0.isLetter || $0.isNumber }
    }
    let wanted = plain(text)
    if let match = labels.firstIndex(where: { plain($0) == wanted }) { return match }
    let named = labels.indices.filter {
      labels[$0].contains(",") && labels[$0].split(separator: ",").contains { plain($0) == wanted }
    }
    if named.count == 1 { return named[0] }
    let parts =
      named.isEmpty ? labels.indices.filter { plain(labels[$0]).contains(wanted) } : named
    if parts.count == 1, !wanted.isEmpty { return parts[0] }
    if !parts.isEmpty, !wanted.isEmpty {
      throw .request(
        "\"\(text)\" may be several classes: " + listed(parts)
          + ". Give a whole name or the number.")
    }
    let hint = nearest(to: text.lowercased(), in: labels.map { $0.lowercased() })
    throw .request(
      "this model does not know \"\(text)\"" + (hint.map { "; did you mean \"\($0)\"?" } ?? ".")
        + " It draws: " + listed(Array(labels.indices)))
  }

  /// Classes for a message, the first of many.
  private func listed(_ numbers: [Int]) -> String {
    let shown = 12
    let names = numbers.prefix(shown).map {
      numbers.count < labels.count ? "\(labels[$0]) (\($0))" : labels[$0]
    }
    return names.joined(separator: numbers.count < labels.count ? "; " : ", ")
      + (numbers.count > shown ? " and \(numbers.count - shown) more" : "")
  }
}
