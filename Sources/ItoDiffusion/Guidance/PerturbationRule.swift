import ItoComponents
import ItoTensors

/// Away from a spoiled estimate, beside classifier-free guidance: what guidance by a perturbation of
/// the network has in common.
public struct PerturbationRule: Sendable, Hashable {
  /// The pass that is spoiled.
  public var id: PassID
  /// How it is spoiled.
  public var perturbation: Perturbation
  /// Weight of the difference to it; 0 for none.
  public var scale: Double
  /// Scale of classifier-free guidance beside it; 1 for none.
  public var cfg: Double
  /// Steps of these shares of the run, both included.
  public var progress: ClosedRange<Double>

  private func acts(at step: StepInfo) -> Bool { scale != 0 && progress.contains(step.progress) }

  func passes(at step: StepInfo) -> [GuidancePass] {
    var passes = [GuidancePass.conditional]
    if cfg != 1 { passes.append(.unconditional) }
    if acts(at: step) { passes.append(GuidancePass(id, .positive, perturbation: perturbation)) }
    return passes
  }

  func combine(_ estimates: [Tensor], at step: StepInfo) -> Tensor {
    guard estimates.count > 1 else { return estimates[0] }
    let weight = acts(at: step) ? scale : 0
    var terms = [(coefficient: cfg + weight, tensor: estimates[0])]
    if cfg != 1 { terms.append((1 - cfg, estimates[1])) }
    if weight != 0 { terms.append((-weight, estimates[estimates.count - 1])) }
    return Tensor.linearCombination(terms)
  }
}

extension BlockSelection {
  /// Takes the option `blocks`, numbers from 0; nil when it is not given.
  init?(options: inout OptionReader) throws(OptionError) {
    guard let numbers = try options.doubles("blocks") else { return nil }
    var blocks: Set<Int> = []
    for number in numbers {
      guard let block = Int(exactly: number), block >= 0 else {
        throw .invalidValue(key: "blocks", value: "\(number)", allowed: "whole numbers from 0")
      }
      blocks.insert(block)
    }
    self = .only(blocks)
  }
}
