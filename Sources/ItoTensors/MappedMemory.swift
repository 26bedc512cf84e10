import ItoCKernels
import ItoCOneDNN
import Synchronization

/// Memory whose pages the system can bring back by itself: a file mapped for reading.
package protocol ReleasablePages: AnyObject {
  /// Gives the pages within `bytes` back until they are read again.
  func releasePages(_ bytes: UnsafeRawBufferPointer)
  /// Whether pages are to be given back after every use of a weight: less memory for pages that are
  /// found anew each time.
  var releasesAfterUse: Bool { get }
  /// Notes that a weight was met that has NaN or infinite elements.
  func noteNonFinite()
  /// Where packed forms of the weights are kept; nil for in memory.
  var packedForms: PackedForms? { get }
}

extension Storage {
  private var pages: (any ReleasablePages)? {
    var holder = owner
    while let storage = holder as? Storage { holder = storage.owner }
    return holder as? any ReleasablePages
  }

  /// Gives the memory of a mapped file's pages back, once: what is needed of these bytes is kept in
  /// another form, and they can be read again all the same. Does nothing for other memory.
  package func releasePages() {
    guard isMapped, !hasReleased.exchange(true, ordering: .relaxed) else { return }
    pages?.releasePages(UnsafeRawBufferPointer(start: base, count: byteCount))
  }

  /// Notes with the file, where there is one, that these bytes have NaN or infinities.
  func noteNonFinite() { pages?.noteNonFinite() }

  /// Which forms of this weight of type `dtype` that products in `type` want are kept: none where memory is to be spared,
  /// and wider ones than the weight on disk only.
  func keeps(_ dtype: DType, computing type: DType) -> KeptForms {
    if isMapped && pages?.releasesAfterUse == true { return .none }
    return dtype == type || pages?.packedForms?.takes(self) == true ? .all : .ofWeightType
  }

  /// The holder of forms of these bytes.
  var packs: UnsafeMutableRawPointer {
    attached {
      guard isMapped, let forms = pages?.packedForms else { return ito_packs_create() }
      return forms.packs(of: self)
    }
  }

  /// A use of these bytes as weights of type `dtype`. What is mapped from a file, and therefore was not
  /// read when it was loaded, is searched for NaN and infinities the first time, and its pages are given
  /// back afterwards where the file is told to. What has forms on disk was looked at when they were written.
  func used<R>(as dtype: DType, _ body: () -> R) -> R {
    guard isMapped, let pages else { return body() }
    if dtype.isFloatingPoint, !hasBeenUsed.exchange(true, ordering: .relaxed),
      pages.packedForms?.has(self) != true,
      ito_all_finite(base, dtype.rawValue, Int64(byteCount / dtype.byteCount)) == 0
    {
      pages.noteNonFinite()
    }
    let result = body()
    if pages.releasesAfterUse {
      pages.releasePages(UnsafeRawBufferPointer(start: base, count: byteCount))
    }
    return result
  }
}

/// Packed forms of weights that are kept for later products.
enum KeptForms {
  /// Each is made for its product alone.
  case none
  /// Those of the weight's own element type, which take about its own memory.
  case ofWeightType
  /// Those in another type too.
  case all
}

extension Tensor {
  /// This weight as an operand of a product in `type`: itself where that is its type, or where the
  /// product widens it; otherwise converted, as a product that is differentiated needs it.
  func operand(computing type: DType, tracked: Bool) -> Tensor {
    let isHalf = dtype == .bfloat16 || dtype == .float16
    return isHalf && type == .float32 && !tracked ? self : cast(to: type)
  }
}
