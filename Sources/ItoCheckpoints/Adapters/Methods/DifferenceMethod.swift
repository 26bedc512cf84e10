import ItoModules
import ItoTensors

extension AdapterMethod {
  /// The change as it is.
  public static let difference = AdapterMethod(
    name: "full difference", marks: ["diff"],
    make: { parts throws(AdapterFault) in
      .matrix(DenseDelta(try AdapterParts.matrix(try parts("diff"))))
    })
}
