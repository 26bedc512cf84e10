import ItoCAllocations
import ItoComponents
import Testing

@testable import ItoHub

@Suite("Names, settings and choices of the hub")
struct HubPartsTests {
  @Test(
    "SHA-256 of the standard's examples",
    arguments: [
      ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
      ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
      (
        "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
      ),
    ])
  func hash(_ text: String, _ digest: String) { #expect(sha256(Array(text.utf8)) == digest) }

  @Test(
    "git's hash, as `git hash-object` has it",
    arguments: [
      ("", "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"),
      ("hello\n", "ce013625030ba8dba906f756967f9e9ca394464a"),
    ])
  func git(_ text: String, _ digest: String) { #expect(gitHash(Array(text.utf8)) == digest) }

  @Test("git's hash of contents longer than a block, added in pieces")
  func longGit() {
    let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0) }
    var hash = ContentHash.git(size: 1000)
    for start in stride(from: 0, to: 1000, by: 77) {
      hash.add(Array(bytes[start..<min(1000, start + 77)]), count: min(77, 1000 - start))
    }
    #expect(hash.digest() == "44efb17b5ffba6dbf7fd96d2d4e7c06ac226e4f4")
  }

  @Test func names() throws {
    #expect(try RepositoryName("a-b/c.d_e").revision == "main")
    let other = try RepositoryName("stabilityai/sdxl-turbo@refs/pr/2")
    #expect(other.revision == "refs/pr/2" && other.folder == "models--stabilityai--sdxl-turbo")
    for text in [
      "", "a", "a/b/c", "/a", "a/", "../a", "a/..", "a/b@", "a/b@../c", "a b/c", "a/b@x//y", ".a/b",
    ] {
      #expect(throws: HubError.name(text)) { try RepositoryName(text) }
    }
  }

  @Test func settings() {
    func settings(_ environment: [String: String]) -> HubSettings {
      HubSettings(environment: environment)
    }
    let plain = settings(["HOME": "/h"])
    #expect(
      plain.cache == "/h/.cache/huggingface/hub" && plain.endpoint == "https://huggingface.co")
    #expect(plain.token == nil && !plain.isOffline && plain.timeout == 10)
    #expect(settings(["HOME": "/h", "XDG_CACHE_HOME": "/x"]).cache == "/x/huggingface/hub")
    #expect(settings(["HOME": "/h", "HF_HOME": "~/y"]).cache == "/h/y/hub")
    #expect(settings(["HF_HOME": "/y", "HF_HUB_CACHE": "/z"]).cache == "/z")
    #expect(settings(["HUGGINGFACE_HUB_CACHE": "/z"]).cache == "/z")
    for value in ["1", "on", "YES", "True"] {
      #expect(settings(["HF_HUB_OFFLINE": value]).isOffline)
    }
    #expect(!settings(["HF_HUB_OFFLINE": "0"]).isOffline)
    #expect(settings(["HF_TOKEN": " abc\n"]).token == "abc")
    // What could smuggle in a header is no token.
    #expect(settings(["HF_TOKEN": "a\r\nX: y"]).token == nil)
  }

  private func chosen(
    _ paths: [String], variant: String? = nil, index: String? = nil, names: [String] = []
  ) throws -> [String] {
    let files = paths.map { HubListing.File(path: $0, size: 1, etag: "0123456789") }
    let json = try index.map { try JSONValue.parse(Array($0.utf8)) }
    return try FileSelection(variant: variant, names: names).files(
      of: HubListing(commit: "", files: files), index: json, repository: RepositoryName("a/b")
    ).map(\.path)
  }

  @Test("Weights of one variant, whole or in shards")
  func variants() throws {
    let both = [
      "config.json", "model.safetensors", "model.fp16.safetensors", "model.bin", "onnx/model.onnx",
    ]
    #expect(try chosen(both) == ["config.json", "model.safetensors"])
    #expect(try chosen(both, variant: "fp16") == ["config.json", "model.fp16.safetensors"])
    #expect(try chosen(both, variant: "bf16") == ["config.json", "model.safetensors"])
    let shards = [
      "config.json", "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors",
      "model.safetensors.index.json", "model.fp16-00001-of-00002.safetensors",
      "model.fp16-00002-of-00002.safetensors", "model.safetensors.index.fp16.json",
    ]
    #expect(try chosen(shards) == Array(shards[..<4]))
    #expect(try chosen(shards, variant: "fp16") == [shards[0]] + shards[4...])
    #expect(try chosen(["config.json", "model.fp16.safetensors"]).count == 2)
    #expect(throws: HubError.self) {
      try chosen(["config.json", "model.fp16.safetensors", "model.bf16.safetensors"])
    }
    #expect(throws: HubError.self) { try chosen(["config.json", "model.bin"]) }
  }

  @Test("Single files, and files by name")
  func files() throws {
    #expect(try chosen(["README.md", "a.safetensors", "b.ckpt"]) == ["a.safetensors"])
    #expect(throws: HubError.self) { try chosen(["a.safetensors", "b.safetensors"]) }
    #expect(try chosen(["a.safetensors", "b.ckpt"], names: ["b.ckpt"]) == ["b.ckpt"])
    #expect(throws: HubError.self) { try chosen(["a.safetensors"], names: ["c"]) }
    #expect(throws: HubError.self) {
      try chosen(["model_index.json"], index: #"{"unet":["a","b"]}"#)
    }
  }

  @Test("120,000 damaged answers", arguments: 0..<6)
  func fuzz(_ part: Int) throws {
    let seed = Array(Repository().listing().utf8)
    let index = Array((Repository().files["model_index.json"] ?? []))
    var state = UInt64(part + 1)
    func below(_ n: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int((state >> 33) % UInt64(max(1, n)))
    }
    let pieces = [
      "..", "/", "\\u0000", "-1", "1e9", "null", "[", "}", "\"", "lfs", "oid", "size", "%2e",
      "9223372036854775808",
    ]
    func damaged(_ seed: [UInt8]) -> [UInt8] {
      var bytes = seed
      for _ in 0...below(4) {
        let at = below(bytes.count)
        switch below(4) {
        case 0: bytes[at] = UInt8(below(128))
        case 1: bytes.insert(contentsOf: Array(pieces[below(pieces.count)].utf8), at: at)
        case 2: bytes.removeSubrange(at..<min(bytes.count, at + 1 + below(6)))
        default: bytes.swapAt(at, below(bytes.count))
        }
      }
      return bytes
    }
    var accepted = 0
    var escapes = 0
    var excess = Int.min
    for _ in 0..<20_000 {
      let answer = damaged(seed)
      let start = ito_allocations_begin()
      let files = Self.files(in: answer)
      // The answer itself is in memory, too.
      excess = max(excess, Int(ito_allocations_peak() - start) - 3 * answer.count)
      guard let files else { continue }
      accepted += 1
      escapes += files.count { !HubListing.isSafe(path: $0.path) || $0.size < 0 }
      let text = damaged(index)
      let before = ito_allocations_begin()
      let json = try? JSONValue.parse(text)
      _ = try? FileSelection().files(
        of: HubListing(commit: "", files: files), index: json, repository: RepositoryName("a/b"))
      excess = max(excess, Int(ito_allocations_peak() - before) - 3 * (answer.count + text.count))
    }
    #expect(escapes == 0)
    #expect(excess <= 1 << 20)
    #expect(accepted > 500 && accepted < 19_000, "\(accepted)")
  }

  private static func files(in answer: [UInt8]) -> [HubListing.File]? {
    guard let page = try? JSONValue.parse(answer) else { return nil }
    return try? HubListing.files(in: page, "x")
  }

  @Test(
    "no answer takes more than four times its size",
    .enabled(if: ito_allocations_counted()),
    arguments: [
      ##"{"type":"file","path":"#","size":0,"oid":"12345678"}"##, #"{"type":"file"}"#, "0",
      #"{"type":"file","path":"a-long/path-of-a/file-#.json","size":0,"lfs":{"oid":"0123456789abcdef"}}"#,
      #"{"":0}"#, ##"{"type":"file","path":"#","size":0,"lfs":{"oid":"01234567"}}"##,
      ##"{"type":"file","path":"config.json","size":0,"oid":"12345678"}"##,
      ##"{"type":"file","path":"a-#.safetensors","size":0,"oid":"12345678"}"##,
      ##"{"type":"file","path":"a-#.b-#.safetensors","size":0,"oid":"12345678"},{"type":"file","path":"config.json","size":0,"oid":"12345678"}"##,
      #"{"type":"file","path":"\#(String(repeating: "/", count: 1 << 20))","size":0,"oid":"12345678"}"#,
    ])
  func memory(_ entry: String) {
    let count = (4 << 20) / (entry.utf8.count + 1)
    let parts = entry.split(separator: "#", omittingEmptySubsequences: false)
    var text = ""
    for i in 0..<count {
      text += i > 0 ? "," : ""
      text += parts.joined(separator: String(i, radix: 36))
    }
    let answer = Array("[\(text)]".utf8)
    let start = ito_allocations_begin()
    let files = Self.files(in: answer)
    let taken = Int(ito_allocations_peak() - start)
    #expect(taken <= 3 * answer.count + 1 << 20, "\(taken) for \(answer.count)")
    // The answer is gone when files are chosen.
    if let files {
      _ = try? FileSelection().files(
        of: HubListing(commit: "", files: files), index: nil, repository: RepositoryName("a/b"))
      #expect(Int(ito_allocations_peak() - start) <= 4 * answer.count + 1 << 20)
    }
    let each = entry.contains("//") ? 0 : entry.split(separator: "size").count - 1
    #expect((files?.count ?? 0) == each * count)
  }
}
