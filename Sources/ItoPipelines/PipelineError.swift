public import ItoCheckpoints
public import ItoComponents
public import ItoDiffusion
public import ItoModels
public import ItoTokenizers

/// Why a model folder cannot be used or a request not be served.
public enum PipelineError: Error, Sendable, CustomStringConvertible {
  /// A file of the folder cannot be read.
  case file(FileError)
  /// `model.json` is not JSON.
  case syntax(file: String, JSONError)
  /// A key of `model.json` is missing or wrong.
  case manifest(file: String, key: String, reason: String)
  /// A component named in `model.json` or asked for does not exist or was given wrong options.
  case option(OptionError)
  /// The network cannot be built.
  case model(ModelError)
  /// The weights cannot be loaded.
  case checkpoint(CheckpointError)
  /// The tokenizer cannot be read.
  case tokenizer(TokenizerError)
  /// What was asked for is not possible with this model.
  case request(String)
  /// The run failed.
  case sampling(SamplingError)

  /// What is wrong, where, and what to do.
  public var description: String {
    switch self {
    case .file(let error): "\(error)"
    case .syntax(let file, let error): "\(file): \(error)"
    case .manifest(let file, let key, let reason): "\(file): \"\(key)\" \(reason)"
    case .option(let error): "\(error)"
    case .model(let error): "\(error)"
    case .checkpoint(let error): "\(error)"
    case .tokenizer(let error): "\(error)"
    case .request(let text): text
    case .sampling(let error): "\(error)"
    }
  }
}

/// Calls `body`; what it throws becomes the case of `PipelineError` that `wrap` makes.
func wrapping<T, E: Error>(
  _ wrap: (E) -> PipelineError, _ body: () throws(E) -> T
) throws(PipelineError) -> T {
  do throws(E) { return try body() } catch { throw wrap(error) }
}
