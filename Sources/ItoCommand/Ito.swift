import ArgumentParser

@main
struct Ito: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Efficient diffusion models.")
}
