public import ItoModules
public import ItoTensors

private struct Gather: ModuleVisitor {
  typealias Failure = Never
  var path = ModulePath()
  var tensors: [String: Tensor] = [:]
  private var isInKernel = false

  mutating func visitWeight(_ weight: inout any ConvolutionWeight) {
    isInKernel = true
    defer { isInKernel = false }
    weight.visit(&self)
  }

  mutating func visitParameter(_ tensor: inout Tensor) {
    let value = tensor.detached()
    let previous = tensors.updateValue(
      isInKernel ? value.toPublishedKernel() : value, forKey: path.description)
    require(previous == nil, "two parameters of \(path.parent) are called '\(path.last)'")
  }
}

extension Module {
  /// Every parameter by its path, in the layout of published checkpoints, in which convolution
  /// kernels are `[out, in / groups, height, width]`. What `save` writes and `load` reads.
  public var storedTensors: [String: Tensor] {
    var copy = self
    var gather = Gather()
    copy.visit(&gather)
    return gather.tensors
  }

  /// Writes every parameter to a safetensors file under its path, whole or not at all.
  ///
  /// - Parameter metadata: free text to store with them. `format` is `pt` unless given, since tools
  ///   that read published checkpoints ask for it.
  /// - Throws: `CheckpointError.file` when the folder cannot be written or the disk is full; an
  ///   earlier file at `path` is then unchanged.
  public func save(
    to path: String, metadata: [String: String] = [:]
  ) throws(CheckpointError) {
    let format = ["format": "pt"]
    try SafeTensors.write(
      storedTensors, metadata: format.merging(metadata) { $1 }, to: path)
  }
}
