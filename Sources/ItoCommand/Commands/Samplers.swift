import ArgumentParser
import ItoComponents
import ItoDiffusion

struct Samplers: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "samplers",
    abstract: "List the samplers: solvers, spacings, and what other tools call them.",
    discussion: """
      Order is that of the error without noise; evaluations are those of the network in a step, + where a \
      step of the plan is divided further. A name with a spacing behind it is taken apart: "DPM++ 2M Karras" \
      is dpm++2m with karras.

      Examples:
        ito samplers
        ito samplers --spacings
        ito samplers "DPM++ 2M Karras"
        ito samplers --json
      """)

  @OptionGroup var shared: SharedOptions

  @Argument(help: "A name to look up, as another tool has it.")
  var name: String?

  @Flag(help: "List the spacings instead of the solvers.")
  var spacings = false

  func run() throws {
    if let name {
      try lookUp(name)
    } else if spacings {
      try listSpacings()
    } else {
      try listSolvers()
    }
  }

  private func listSolvers() throws {
    let registry = Registry<any Solver>.builtin
    var table = TextTable([
      "solver", "order", "evaluations", "noise", "what it is", "source", "also",
    ])
    for entry in registry.entries {
      let traits = try registry.make(entry.name).traits
      if shared.json {
        Terminal.output(JSONValue.object(try solver(entry, traits)).text())
      } else {
        table.add([
          entry.name, "\(traits.order)", "\(traits.evaluations)" + (traits.isAdaptive ? "+" : ""),
          traits.isStochastic ? "yes" : "no", entry.summary, traits.source,
          entry.aliases.joined(separator: ", "),
        ])
      }
    }
    if !shared.json { Terminal.output(table.text) }
  }

  private func listSpacings() throws {
    let registry = Registry<any StepSpacing>.builtin
    var table = TextTable(["spacing", "what it is", "options", "also"])
    for entry in registry.entries {
      let options = try registry.options(of: entry.name)
      if shared.json {
        var object = named(entry.name, entry.summary, entry.aliases, options)
        object["kind"] = "spacing"
        Terminal.output(JSONValue.object(object).text())
      } else {
        table.add([
          entry.name, entry.summary, options.map(\.key).joined(separator: ", "),
          entry.aliases.joined(separator: ", "),
        ])
      }
    }
    if !shared.json { Terminal.output(table.text) }
  }

  private func lookUp(_ name: String) throws {
    let sampler = try SamplerName(parsing: name)
    let entry = try Registry<any Solver>.builtin.entry(sampler.solver.name)
    let traits = try Registry<any Solver>.builtin.make(sampler.solver).traits
    let spacing = try sampler.spacing.map {
      try Registry<any StepSpacing>.builtin.entry($0.name)
    }
    if shared.json {
      var object = try solver(entry, traits)
      if let spacing { object["spacing"] = .string(spacing.name) }
      Terminal.output(JSONValue.object(object).text())
      return
    }
    Terminal.output(
      "--solver \(entry.name)" + (spacing.map { " --spacing \($0.name)" } ?? "") + "\n  "
        + entry.summary + (spacing.map { "; " + $0.summary } ?? ""))
  }

  private func solver(
    _ entry: Registry<any Solver>.Entry, _ traits: SolverTraits
  ) throws -> JSONObject {
    var object = named(
      entry.name, entry.summary, entry.aliases,
      try Registry<any Solver>.builtin.options(of: entry.name))
    object["kind"] = "solver"
    object["order"] = .integer(Int64(traits.order))
    object["evaluations"] = .integer(Int64(traits.evaluations))
    object["stochastic"] = .bool(traits.isStochastic)
    object["adaptive"] = .bool(traits.isAdaptive)
    object["source"] = .string(traits.source)
    return object
  }

  private func named(
    _ name: String, _ summary: String, _ aliases: [String], _ options: [OptionDescription]
  ) -> JSONObject {
    [
      "name": .string(name), "summary": .string(summary),
      "aliases": .array(aliases.map { .string($0) }),
      "options": .array(options.map { .string($0.key) }),
    ]
  }
}
