import ItoDiffusion
import ItoModules
import ItoTensors

/// A network that is told of a picture by further channels of its input, such as the mask and the
/// masked picture of an inpainting model: `Conditioning.image` follows the noisy sample.
struct PictureConditioned<Base: Backbone>: Backbone {
  var base: Base

  func callAsFunction(
    _ x: Tensor, time: Tensor, conditioning: Conditioning, context: EvaluationContext
  ) -> Tensor {
    guard let image = conditioning.image else {
      return base(x, time: time, conditioning: conditioning, context: context)
    }
    let input = Tensor.concatenated([x, image.cast(to: x.dtype)], axis: -1)
    return base(input, time: time, conditioning: conditioning, context: context)
  }

  mutating func visit<V: ModuleVisitor>(_ visitor: inout V) throws(V.Failure) {
    try base.visit(&visitor)
  }
}
