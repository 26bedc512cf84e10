import Foundation

@testable import ItoHub

func sha256(_ bytes: [UInt8]) -> String {
  var hash = ContentHash.sha256
  hash.add(bytes, count: bytes.count)
  return hash.digest()
}

func gitHash(_ bytes: [UInt8]) -> String {
  var hash = ContentHash.git(size: bytes.count)
  hash.add(bytes, count: bytes.count)
  return hash.digest()
}

/// A repository the server plays, and what goes wrong with it.
struct Repository: Sendable {
  static let commit = String(repeating: "0123456789", count: 4)
  var files: [String: [UInt8]] = [
    "README.md": Array("hello".utf8),
    "model_index.json": Array(
      #"{"_class_name":"P","unet":["diffusers","U"],"tokenizer":["transformers","T"],"safety_checker":["x","Y"],"none":[null,null]}"#
        .utf8),
    "unet/config.json": Array("{}".utf8),
    "unet/diffusion_pytorch_model.safetensors": (0..<200_000).map {
      UInt8(truncatingIfNeeded: $0 * 7)
    },
    "unet/diffusion_pytorch_model.fp16.safetensors": (0..<100_000).map {
      UInt8(truncatingIfNeeded: $0 * 3)
    },
    "unet/diffusion_pytorch_model.bin": [1, 2, 3], "tokenizer/vocab.json": Array(#"{"a":0}"#.utf8),
    "tokenizer/merges.txt": Array("a b".utf8), "safety_checker/model.safetensors": [9, 9, 9],
    "v1.ckpt": [1],
  ]

  /// The list of files as the server gives it: large ones with their SHA-256, all with git's hash.
  func listing(wrongHashOf wrong: String? = nil) -> String {
    let entries = files.sorted { $0.key < $1.key }.map { path, bytes in
      let digest = path == wrong ? String(repeating: "ab", count: 32) : sha256(bytes)
      let large = path.hasSuffix(".safetensors")
      let lfs = large ? #","lfs":{"oid":"\#(digest)","size":\#(bytes.count)}"# : ""
      let oid = path == wrong ? digest.prefix(40) : gitHash(bytes)[...]
      return #"{"type":"file","path":"\#(path)","size":\#(bytes.count),"oid":"\#(oid)"\#(lfs)}"#
    }
    return "[\(entries.joined(separator: ",")),{\"type\":\"directory\",\"path\":\"unet\"}]"
  }

  /// The answer of a hub without faults.
  func answer(_ request: HubServer.Request) -> HubServer.Response {
    if request.path.hasPrefix("/api/models/org/name/revision/") {
      return .json(#"{"sha":"\#(Self.commit)"}"#)
    }
    if request.path.hasPrefix("/api/models/org/name/tree/\(Self.commit)") {
      return .json(listing())
    }
    let prefix = "/org/name/resolve/\(Self.commit)/"
    guard request.path.hasPrefix(prefix),
      let bytes = files[String(request.path.dropFirst(prefix.count))]
    else { return HubServer.Response(status: 404) }
    return Self.part(of: bytes, request)
  }

  /// The bytes from where the request says.
  static func part(of bytes: [UInt8], _ request: HubServer.Request) -> HubServer.Response {
    guard let range = request.headers["range"], let start = Int(range.dropFirst(6).dropLast())
    else {
      return HubServer.Response(body: bytes)
    }
    return HubServer.Response(status: 206, body: Array(bytes[start...]))
  }
}
