#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

// The C library's functions under names that do not clash with tensors' own.

/// `e^x`.
func exponential(_ x: Double) -> Double { exp(x) }

/// `e^x − 1` without loss near 0.
func exponentialMinusOne(_ x: Double) -> Double { expm1(x) }

/// `base^exponent`.
func power(_ base: Double, _ exponent: Double) -> Double { pow(base, exponent) }

/// The angle of the point (`cosine`, `sine`), in radians.
func arcTangent(_ sine: Double, _ cosine: Double) -> Double { atan2(sine, cosine) }

/// The natural logarithm.
func logarithm(_ x: Double) -> Double { log(x) }

/// The sine of an angle in radians.
func sine(_ x: Double) -> Double { sin(x) }

/// The tangent of an angle in radians.
func tangent(_ x: Double) -> Double { tan(x) }
