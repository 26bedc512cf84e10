/// The alphabet in which byte-level vocabularies write bytes: printable characters of Latin-1 stand for
/// themselves, the other bytes for the characters from U+0100 on, in order.
///
/// - Source: Radford et al. 2019, *Language Models are Unsupervised Multitask Learners*, §2.2, and the
///   table `bytes_to_unicode` published with it.
enum ByteAlphabet {
  /// The character that stands for each byte.
  static let characters: [Unicode.Scalar] = {
    var next: UInt32 = 256
    return (UInt32(0)...255).map { byte in
      switch byte {
      case 33...126, 161...172, 174...255: return Unicode.Scalar(UInt8(byte))
      default:
        defer { next += 1 }
        return Unicode.Scalar(next) ?? " "
      }
    }
  }()

  /// The byte that each character stands for.
  static let bytes: [Unicode.Scalar: UInt8] = Dictionary(
    uniqueKeysWithValues: characters.enumerated().map { ($1, UInt8($0)) })
}
