import ItoCKernels
import ItoCOneDNN

extension ConvolutionOptions {
  /// oneDNN's description of this convolution of `[batch, height, width, channels]`.
  ///
  /// - Parameter stored: the kernel's element type, if not `dtype`.
  func descriptor(
    input: Shape, kernel: Shape, dtype: DType, result: DType, hasBias: Bool, stored: DType? = nil,
    keeping kept: KeptForms = .none, then epilogue: Epilogue = Epilogue()
  ) -> ito_conv_desc {
    let size = outputSize(
      height: input[1], width: input[2], kernelHeight: kernel[1], kernelWidth: kernel[2])
    return ito_conv_desc(
      batch: Int64(input[0]), height: Int64(input[1]), width: Int64(input[2]),
      channels: Int64(input[3]), out_height: Int64(size.height), out_width: Int64(size.width),
      out_channels: Int64(kernel[0]), kernel_height: Int64(kernel[1]),
      kernel_width: Int64(kernel[2]), stride_height: Int64(stride.height),
      stride_width: Int64(stride.width), pad_top: Int64(padding.top),
      pad_bottom: Int64(padding.bottom), pad_left: Int64(padding.left),
      pad_right: Int64(padding.right), dilation_height: Int64(dilation.height),
      dilation_width: Int64(dilation.width), groups: Int64(groups), dtype: Int64(dtype.rawValue),
      out_dtype: Int64(result.rawValue), has_bias: hasBias ? 1 : 0, activation: epilogue.code,
      has_residual: epilogue.residual == nil ? 0 : 1,
      weights_dtype: Int64((stored ?? dtype).rawValue), doubles: doubles ? 1 : 0,
      keeps_wide: kept == .all ? 1 : 0, allows_large: allowsLargeTiles ? 1 : 0)
  }

  /// Multiplications and additions of a plain sum from `input` by `kernel`.
  fileprivate func work(input: Shape, kernel: Shape) -> Double {
    let size = outputSize(
      height: input[1], width: input[2], kernelHeight: kernel[1], kernelWidth: kernel[2])
    return 2 * Double(input[0] * size.height * size.width) * Double(kernel.count)
  }

  func check(input: Shape, kernel: Shape, bias: Tensor?, outputs: Int) {
    let what =
      "input \(input), kernel \(kernel), \(groups) groups, bias \(bias?.shape.description ?? "none")"
    require(input.rank == 4 && kernel.rank == 4, "convolution: \(what)")
    require(
      groups >= 1 && input[3] == kernel[3] * groups && kernel[0] % groups == 0
        && (bias == nil || bias?.shape == [outputs]), "convolution: \(what)")
    let size = outputSize(
      height: input[1], width: input[2], kernelHeight: kernel[1], kernelWidth: kernel[2])
    require(
      stride.height >= 1 && stride.width >= 1 && dilation.height >= 1 && dilation.width >= 1
        && size.height >= 1 && size.width >= 1, "convolution: nothing is left of \(what)")
  }
}

/// The three products of a convolution, without gradient, in the element type of the first operand,
/// float32 or bfloat16; where the library lacks one in bfloat16 it is done in float32. For a product in
/// float32 the kernel may be in half precision: it is widened for the call, without a copy that is kept.
enum Convolve {
  /// - Parameter isPublished: `w` is `[out, in / groups, height, width]`, as files have it.
  static func forward(
    _ x: Tensor, _ w: Tensor, _ bias: Tensor?, _ options: ConvolutionOptions,
    keeping kept: KeptForms,
    isPublished: Bool = false, then epilogue: Epilogue = Epilogue()
  ) -> Tensor {
    let kernel = isPublished ? w.shape.kernelOfPublished : w.shape
    var desc = options.descriptor(
      input: x.shape, kernel: kernel, dtype: x.dtype, result: x.dtype, hasBias: bias != nil,
      stored: w.dtype, keeping: kept, then: epilogue)
    let shape: Shape = [
      x.shape[0], Int(desc.out_height), Int(desc.out_width), Int(desc.out_channels),
    ]
    epilogue.check("convolution", result: shape)
    if shape.count == 0 { return Tensor(zeros: shape, dtype: x.dtype) }
    let packs = kept == .none ? nil : w.storage.packs
    var status: Int32 = 0
    let result = Tensor(building: shape, dtype: x.dtype) { out in
      reading(x, w) { px, pw in
        readingOptional(bias) { pb in
          readingOptional(epilogue.residual) { pr in
            ito_profile_work(options.work(input: x.shape, kernel: kernel))
            let run = isPublished ? ito_conv_forward_published : ito_conv_forward
            status = run(&desc, px, pw, pb?.of(Float.self), pr, out, packs)
          }
        }
      }
    }
    guard status != 0 else {
      if packs != nil { w.storage.releasePages() }
      return result
    }
    // One thing less at once: the enlarged input is made, then the sum and what follows are apart.
    if options.doubles {
      return forward(
        x.resizedNearest(height: 2 * x.shape[1], width: 2 * x.shape[2]), w, bias,
        options.undoubled, keeping: kept, isPublished: isPublished, then: epilogue)
    }
    if !epilogue.isEmpty {
      return epilogue.applied(
        to: forward(x, w, bias, options, keeping: kept, isPublished: isPublished))
    }
    fallback("forward", x.dtype)
    return forward(
      x.cast(to: .float32), w, bias, options, keeping: .none, isPublished: isPublished
    ).cast(to: x.dtype)
  }

  static func inputGradient(
    _ g: Tensor, _ w: Tensor, input: Shape, _ options: ConvolutionOptions, keeping kept: KeptForms
  ) -> Tensor {
    if input.count == 0 || g.shape.count == 0 { return Tensor(zeros: input, dtype: g.dtype) }
    var desc = options.descriptor(
      input: input, kernel: w.shape, dtype: g.dtype, result: g.dtype, hasBias: false,
      stored: w.dtype, keeping: kept)
    let packs = kept == .none ? nil : w.storage.packs
    var status: Int32 = 0
    let result = Tensor(building: input, dtype: g.dtype) { out in
      reading(g, w) { pg, pw in
        ito_profile_work(options.work(input: input, kernel: w.shape))
        status = ito_conv_backward_data(&desc, pg, pw, out, packs)
      }
    }
    guard status != 0 else { return result }
    fallback("input gradient", g.dtype)
    return inputGradient(
      g.cast(to: .float32), w, input: input, options, keeping: .none
    ).cast(to: g.dtype)
  }

  /// float32 gradients of kernel and bias.
  static func weightGradient(
    _ x: Tensor, _ g: Tensor, kernel: Shape, hasBias: Bool, _ options: ConvolutionOptions
  ) -> (kernel: Tensor, bias: Tensor?) {
    guard g.shape.count > 0 else {
      return (Tensor(zeros: kernel), hasBias ? Tensor(zeros: [kernel[0]]) : nil)
    }
    var desc = options.descriptor(
      input: x.shape, kernel: kernel, dtype: x.dtype, result: .float32, hasBias: hasBias)
    var bias: Tensor? = hasBias ? Tensor(uninitialized: [kernel[0]]) : nil
    var status: Int32 = 0
    let dw = Tensor(building: kernel) { out in
      reading(x, g) { px, pg in
        let into = bias?.storage.base.of(Float.self)
        ito_profile_work(options.work(input: x.shape, kernel: kernel))
        status = withExtendedLifetime(bias) {
          ito_conv_backward_weights(&desc, px, pg, out.of(Float.self), into)
        }
      }
    }
    guard status != 0 else { return (dw, bias.take()) }
    fallback("weight gradient", x.dtype)
    return weightGradient(
      x.cast(to: .float32), g.cast(to: .float32), kernel: kernel, hasBias: hasBias, options)
  }

  private static func fallback(_ what: String, _ dtype: DType) {
    require(
      dtype != .float32,
      "oneDNN \(String(cString: ito_onednn_version())) has no float32 convolution \(what) for this shape"
    )
  }
}

extension Tensor {
  /// 2-D convolution (cross-correlation) of `[batch, height, width, channels]`.
  ///
  /// Computed and returned in the kernel's element type (float16 in float32), accumulated in float32. An
  /// untracked kernel is packed once and the packed form kept with its buffer; one in half precision
  /// whose products are in float32 is packed as it is or, where another kernel is quicker, widened for each call.
  ///
  /// - Parameters:
  ///   - kernel: `[out, kernelHeight, kernelWidth, channels / groups]`.
  ///   - bias: `[out]`, or nil.
  ///   - epilogue: what follows in the same pass.
  /// - Returns: `[batch, outHeight, outWidth, out]`.
  public func convolved(
    _ kernel: Tensor, bias: Tensor? = nil, _ options: ConvolutionOptions = ConvolutionOptions(),
    then epilogue: Epilogue = Epilogue()
  ) -> Tensor {
    options.check(input: shape, kernel: kernel.shape, bias: bias, outputs: kernel.shape[0])
    let type = kernel.dtype.productType
    let inputs = [self, kernel] + (bias.map { [$0] } ?? [])
    if !epilogue.isEmpty && !epilogue.isFusible(into: type, of: inputs) {
      return epilogue.applied(to: convolved(kernel, bias: bias, options))
    }
    if options.doubles && inputs.contains(where: \.isTracked) {
      return resizedNearest(height: 2 * shape[1], width: 2 * shape[2]).convolved(
        kernel, bias: bias, options.undoubled)
    }
    let x = cast(to: type)
    let w = kernel.operand(computing: type, tracked: inputs.contains(where: \.isTracked))
    let result = kernel.storage.used(as: kernel.dtype) {
      Convolve.forward(
        x, w, bias?.cast(to: .float32), options,
        keeping: kernel.isTracked ? .none : kernel.storage.keeps(kernel.dtype, computing: type),
        then: epilogue)
    }
    return result.recorded(from: [x] + inputs.dropFirst()) {
      [
        x = x.detached(), w = w.detached(), tracked = inputs.map(\.isTracked),
        biasType = bias?.dtype
      ] g in
      var gradients = [Tensor?](repeating: nil, count: tracked.count)
      if tracked[0] {
        gradients[0] = Convolve.inputGradient(g, w, input: x.shape, options, keeping: .none)
      }
      let wantsBias = biasType != nil && tracked[2]
      if tracked[1] || wantsBias {
        let d = Convolve.weightGradient(x, g, kernel: w.shape, hasBias: wantsBias, options)
        gradients[1] = tracked[1] ? d.kernel : nil
        if wantsBias, let biasType { gradients[2] = d.bias?.cast(to: biasType) }
      }
      return gradients
    }
  }

  /// 2-D transposed convolution: the adjoint of `convolved` by the same kernel.
  ///
  /// - Parameters:
  ///   - kernel: `[channels, kernelHeight, kernelWidth, out / groups]`, channels being this tensor's.
  ///   - bias: `[out]`, or nil.
  ///   - outputPadding: rows and columns added below and right, to choose among the sizes that a
  ///     strided convolution maps to this one.
  /// - Returns: `[batch, outHeight, outWidth, out]`, where
  ///   `outHeight = (height − 1)·stride − padding + dilation·(kernelHeight − 1) + outputPadding + 1`.
  public func transposeConvolved(
    _ kernel: Tensor, bias: Tensor? = nil, _ options: ConvolutionOptions = ConvolutionOptions(),
    outputPadding: (height: Int, width: Int) = (0, 0)
  ) -> Tensor {
    let k = kernel.shape
    require(
      shape.rank == 4 && k.rank == 4 && shape[3] == k[0] && !options.doubles,
      "transposed convolution: input \(shape), kernel \(k)")
    let (s, p, d) = (options.stride, options.padding, options.dilation)
    let output: Shape = [
      shape[0],
      (shape[1] - 1) * s.height - p.top - p.bottom + d.height * (k[1] - 1) + outputPadding.height
        + 1,
      (shape[2] - 1) * s.width - p.left - p.right + d.width * (k[2] - 1) + outputPadding.width + 1,
      k[3] * options.groups,
    ]
    options.check(input: output, kernel: k, bias: bias, outputs: output[3])
    let back = options.outputSize(
      height: output[1], width: output[2], kernelHeight: k[1], kernelWidth: k[2])
    require(
      back.height == shape[1] && back.width == shape[2],
      "transposed convolution: output padding \(outputPadding) must be less than the stride")
    let type = kernel.dtype.productType
    let x = cast(to: type), w = kernel.cast(to: type)
    let result = Convolve.inputGradient(
      x, w, input: output, options, keeping: kernel.isTracked || kernel.dtype != type ? .none : .all
    ).recorded(from: [x, kernel]) {
      [x = x.detached(), w = w.detached(), tracked = (x.isTracked, kernel.isTracked)] g in
      [
        tracked.0 ? Convolve.forward(g, w, nil, options, keeping: .none) : nil,
        tracked.1
          ? Convolve.weightGradient(g, x, kernel: w.shape, hasBias: false, options).kernel : nil,
      ]
    }
    return bias.map { result + $0.cast(to: type) } ?? result
  }
}
