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

  /// The number of the class that `text` names: a number, a name, or part of exactly one name, where
  /// only letters and digits count.
  public func number(of text: String) throws(PipelineError) -> Int {
    if let number = Int(text) {
      guard labels.indices.contains(number) else {
        throw .request(
          "class \(number) does not exist; this model has classes 0 to \(labels.count - 1)")
      }
      return number
    }
    func plain(_ text: String) -> String {
      text.lowercased().filter { $0.isLetter || $0.isNumber }
    }
    let wanted = plain(text)
    if let match = labels.firstIndex(where: { plain($0) == wanted }) { return match }
    let parts = labels.indices.filter { plain(labels[$0]).contains(wanted) }
    if parts.count == 1, !wanted.isEmpty { return parts[0] }
    let hint = nearest(to: text.lowercased(), in: labels.map { $0.lowercased() })
    throw .request(
      "this model does not know \"\(text)\"" + (hint.map { "; did you mean \"\($0)\"?" } ?? ".")
        + " It draws: " + labels.joined(separator: ", "))
  }
}
