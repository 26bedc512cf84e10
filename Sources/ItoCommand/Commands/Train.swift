import ArgumentParser
import ItoCheckpoints
import ItoComponents
import ItoDiffusion
import ItoModels
import ItoModules
import ItoPipelines
import ItoTensors
import ItoTraining

struct Train: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train a model from a recipe.",
    discussion: """
      A recipe is a YAML file that names data, network, objective and training; see Recipes/. \
      Checkpoints and the log go to the recipe's run folder, the finished model to its output folder. \
      Ctrl-C finishes the step, saves and stops; --resume goes on as if never stopped. \
      "initial: FILE" under "training" starts from the weights of a checkpoint or model folder.

      Examples:
        ito train Recipes/fashion-mnist.yaml
        ito train Recipes/fashion-mnist.yaml --resume
        ito train mine.yaml --steps 200 --output runs/trial
      """)

  @OptionGroup var shared: SharedOptions

  @Argument(help: "The recipe, a YAML file.")
  var recipe: String

  @Flag(help: "Go on from the newest checkpoint in the run folder.")
  var resume = false

  @Option(help: "Steps in all, instead of the recipe's.")
  var steps: Int?

  @Option(help: "Folder for the finished model, instead of the recipe's.")
  var output: String?

  @Option(
    name: .customLong("run"), help: "Folder for checkpoints and the log, instead of the recipe's.")
  var runFolder: String?

  func validate() throws {
    if let steps, steps < 1 { throw ValidationError("--steps \(steps): at least 1 is needed.") }
  }

  func run() throws {
    shared.apply()
    let recipe = try Recipe(file: self.recipe)
    let session = TrainingSession(
      recipe: recipe, steps: steps ?? recipe.training.steps, run: runFolder ?? recipe.run,
      output: output ?? recipe.output, resumes: resume, isQuiet: shared.json)
    switch recipe.task {
    case .generate:
      var initial = ParameterInitializer(seed: recipe.seed)
      try session.trainDenoiser(try BackboneFamily.make(recipe.network, &initial))
    case .classify:
      var initial = ParameterInitializer(seed: recipe.seed)
      try session.trainClassifier(
        try ImageClassifier(configuration: recipe.network, &initial))
    case .enlarge:
      var initial = ParameterInitializer(seed: recipe.seed)
      try session.trainEnlarger(try Enlarger(configuration: recipe.network, &initial))
    case .match:
      var initial = ParameterInitializer(seed: recipe.seed)
      try session.trainMatcher(try PictureTextEncoder(configuration: recipe.network, &initial))
    case .autoencode:
      var initial = ParameterInitializer(seed: recipe.seed)
      try session.trainAutoencoder(try AutoencoderKL(configuration: recipe.network, &initial))
    }
  }
}
