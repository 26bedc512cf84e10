public import ItoCheckpoints
import ItoComponents
public import ItoDiffusion
import ItoTensors

/// Why captions could not be encoded or kept.
public enum CaptionError<Encoder: Error>: Error, CustomStringConvertible {
  /// The text encoder failed.
  case encoder(Encoder)
  /// The folder cannot be made.
  case data(DataError)
  /// The file cannot be written or read.
  case checkpoint(CheckpointError)

  /// What was wrong, where, and what to do.
  public var description: String {
    switch self {
    case .encoder(let error): "\(error)"
    case .data(let error): error.description
    case .checkpoint(let error): error.description
    }
  }
}

/// The captions of a data set as a text encoder sees them, computed once and kept in a mapped file.
///
/// Only real tokens are stored, float16, one caption after the other; batches are padded as they are put
/// together.
///
/// - Memory: none but the file's pages in the system's cache, `2 · features` bytes a token.
public struct EncodedCaptions: Sendable {
  /// Number of different captions.
  public var count: Int { starts.count - 1 }
  private let numbers: [String: Int]
  /// Where each caption's tokens start; one more than there are captions.
  private let starts: [Int]
  /// `[tokens + 1, features]`, the last row zeros.
  private let tokens: Tensor
  /// `[captions, features]`
  private let pooled: Tensor

  private static let keyName = "ito.captions"
  private static let chunk = 64

  /// The file in `folder` if it belongs to these captions and this encoder, or a new one.
  ///
  /// - Parameters:
  ///   - captions: in any order, duplicates allowed.
  ///   - encoder: everything the encodings depend on besides the text.
  ///   - encode: tokens, mask and pooled prompt of some captions.
  ///   - progress: told how many captions of how many are done.
  public init<E: Error>(
    _ captions: [String], encoder: String, folder: String,
    encode: ([String]) throws(E) -> Conditioning, progress: (_ done: Int, _ count: Int) -> Void
  ) throws(CaptionError<E>) {
    let texts = Set(captions).sorted()
    let key = "Ito captions 1; \(encoder); \(digest(texts.joined(separator: "\n")))"
    let path = folder + "/captions-" + digest(key) + ".safetensors"
    let file: SafeTensors
    if let known = try? SafeTensors(path: path), known.metadata[Self.keyName] == key {
      file = known
    } else {
      do throws(DataError) { try createFolder(folder) } catch { throw .data(error) }
      let tensors = try Self.encoded(texts, encode, progress)
      do throws(CheckpointError) {
        try SafeTensors.write(tensors, metadata: [Self.keyName: key], to: path)
        file = try SafeTensors(path: path)
      } catch {
        throw .checkpoint(error)
      }
    }
    do throws(CheckpointError) { try self.init(file, texts) } catch { throw .checkpoint(error) }
  }

  private init(_ file: SafeTensors, _ texts: [String]) throws(CheckpointError) {
    tokens = try file.tensor("tokens")
    pooled = try file.tensor("pooled")
    starts = try file.tensor("starts").integers
    let isSound =
      tokens.shape.rank == 2 && pooled.shape.rank == 2 && pooled.shape[0] == texts.count
      && starts.count == texts.count + 1 && starts.last == tokens.shape[0] - 1
      && zip(starts, starts.dropFirst()).allSatisfy { $0 >= 0 && $0 < $1 }
    guard isSound else {
      throw .corrupt(file: file.origin, reason: "its parts do not fit together; delete it")
    }
    numbers = Dictionary(uniqueKeysWithValues: texts.enumerated().map { ($1, $0) })
  }

  private static func encoded<E: Error>(
    _ texts: [String], _ encode: ([String]) throws(E) -> Conditioning,
    _ progress: (Int, Int) -> Void
  ) throws(CaptionError<E>) -> [String: Tensor] {
    // Captions of like length together, so that little is padded.
    let order = texts.indices.sorted { (texts[$0].utf8.count, $0) < (texts[$1].utf8.count, $1) }
    var rows = [Tensor?](repeating: nil, count: texts.count)
    var pooled = [Tensor?](repeating: nil, count: texts.count)
    for start in stride(from: 0, to: order.count, by: chunk) {
      let part = order[start..<min(order.count, start + chunk)]
      let encoded: Conditioning
      do throws(E) { encoded = try encode(part.map { texts[$0] }) } catch { throw .encoder(error) }
      guard let tokens = encoded.tokens?.cast(to: .float16), let mask = encoded.mask,
        let whole = encoded.pooled?.cast(to: .float16)
      else { trap("a text encoder gives tokens, a mask and a pooled prompt") }
      let flags = mask.scalars
      let width = mask.shape[1]
      for (place, index) in part.enumerated() {
        let length = flags[(place * width)..<((place + 1) * width)].count { $0 != 0 }
        rows[index] = tokens.indexed(place, axis: 0).sliced(0..<length, axis: 0)
        pooled[index] = whole.sliced(place..<(place + 1), axis: 0)
      }
      progress(min(order.count, start + chunk), order.count)
    }
    let found = rows.compactMap { $0 }
    var starts: [Int64] = [0]
    for row in found { starts.append((starts.last ?? 0) + Int64(row.shape[0])) }
    let features = found.first?.shape[1] ?? 1
    let zeros = Tensor(zeros: [1, features], dtype: .float16)
    return [
      "tokens": Tensor.concatenated(found + [zeros], axis: 0),
      "pooled": Tensor.concatenated(pooled.compactMap { $0 }, axis: 0),
      "starts": Tensor(starts, shape: [starts.count]),
    ]
  }

  /// Tokens, mask and pooled prompt of `texts`, which must be among the captions, padded to the longest.
  public func conditioning(_ texts: [String]) -> Conditioning {
    let found = texts.map { text in
      guard let number = numbers[text] else { trap("the caption '\(text)' was never encoded") }
      return number
    }
    let lengths = found.map { starts[$0 + 1] - starts[$0] }
    let width = lengths.max() ?? 1
    let blank = Int64(tokens.shape[0] - 1)
    var rows: [Int64] = []
    var mask: [Bool] = []
    for (number, length) in zip(found, lengths) {
      for place in 0..<width {
        rows.append(place < length ? Int64(starts[number] + place) : blank)
        mask.append(place < length)
      }
    }
    let index = Tensor(rows, shape: [rows.count])
    return Conditioning(
      tokens: tokens.indexSelected(index).cast(to: .float32)
        .reshaped(to: [texts.count, width, tokens.shape[1]]),
      pooled: pooled.indexSelected(Tensor(found.map { Int64($0) }, shape: [found.count]))
        .cast(to: .float32),
      mask: Tensor(mask, shape: [texts.count, width]))
  }

  /// The conditioning of no prompt: nothing to attend to, and zeros.
  public var unconditional: Conditioning {
    Conditioning(
      tokens: Tensor(zeros: [1, 1, tokens.shape[1]]), pooled: Tensor(zeros: [1, pooled.shape[1]]),
      mask: Tensor([false], shape: [1, 1]))
  }
}
