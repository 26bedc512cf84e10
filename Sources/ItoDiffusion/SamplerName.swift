public import ItoComponents

/// A sampler as other tools name it: a solver, and a spacing where the name says one.
///
/// `DPM++ 2M Karras` is `dpm++2m` with `karras`, `ddim_trailing` is `ddim` with `trailing`; case, spaces, `-`
/// and `_` do not matter. Options follow after a colon and are the solver's: `unipc karras:order=3`.
///
/// - Source: the menus of A1111 and Forge, ComfyUI, stable-diffusion.cpp; class names of diffusers.
public struct SamplerName: Sendable, Hashable {
  /// The solver.
  public let solver: ComponentChoice
  /// The spacing, when the name says one.
  public let spacing: ComponentChoice?

  /// Reads `text`.
  ///
  /// - Throws: `unknownComponent` when no way to split it names a solver and a spacing.
  public init(parsing text: String) throws(OptionError) {
    let choice = try ComponentChoice(parsing: text)
    let solvers = Registry<any Solver>.builtin
    if solvers.contains(choice.name) {
      solver = choice
      spacing = nil
      return
    }
    let words = choice.name.split { $0 == " " || $0 == "_" || $0 == "-" }.map(String.init)
    // The longest spacing first: "SGM Uniform" before "Uniform".
    for count in stride(from: words.count - 1, to: 0, by: -1) {
      let tail = words.suffix(count).joined(separator: "-")
      let head = words.dropLast(count).joined(separator: "-")
      // Names that leave the spacing to the model.
      let isAutomatic = ["automatic", "default"].contains(tail.lowercased())
      guard isAutomatic || Registry<any StepSpacing>.builtin.contains(tail), solvers.contains(head)
      else { continue }
      solver = ComponentChoice(head, options: choice.options)
      spacing = isAutomatic ? nil : ComponentChoice(tail)
      return
    }
    // For its message, with the names there are.
    _ = try solvers.entry(choice.name)
    solver = choice
    spacing = nil
  }
}
