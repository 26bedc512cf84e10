extension Tensor { public static func + (a: Tensor, b: Tensor) -> Tensor { trap("x") } }
