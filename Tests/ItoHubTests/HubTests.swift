import Foundation
import ItoComponents
import Synchronization
import Testing

@testable import ItoHub

@Suite("Models from a hub")
struct HubTests {
  let cache: URL
  let repository = Repository()
  let name: RepositoryName

  init() throws {
    cache = FileManager.default.temporaryDirectory.appending(path: "ito-hub-\(UUID().uuidString)")
    name = try RepositoryName("org/name")
  }

  func settings(_ server: HubServer, token: String? = nil, more: [String: String] = [:])
    -> HubSettings
  {
    var environment = [
      "HF_HUB_CACHE": cache.path, "HF_ENDPOINT": server.address + "/", "HOME": cache.path,
      "HF_HUB_DOWNLOAD_TIMEOUT": "20",
    ]
    environment["HF_TOKEN"] = token
    return HubSettings(environment: environment.merging(more) { $1 })
  }

  /// Runs `body` with a server and deletes the cache after.
  func with(
    _ answer: @escaping @Sendable (HubServer.Request) -> HubServer.Response,
    _ body: (HubServer) throws -> Void
  ) throws {
    let server = try HubServer(answer)
    defer {
      server.stop()
      try? FileManager.default.removeItem(at: cache)
    }
    try body(server)
  }

  func contents(_ folder: String, _ path: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(path)")))
  }

  func reason(_ body: () throws(HubError) -> Void) -> String {
    do { try body() } catch { return error.description }
    return "no error"
  }

  var weights: String { "unet/diffusion_pytorch_model.safetensors" }

  @Test("A pull brings what the model needs, once, in the layout of the hub's own tools")
  func pull() throws {
    let repository = repository
    try with({ repository.answer($0) }) { server in
      let hub = Hub(settings(server))
      #expect(hub.cached(name) == nil)
      var last: Hub.Progress?
      let folder = try hub.pull(name) { last = $0 }
      #expect(folder == "\(cache.path)/models--org--name/snapshots/\(Repository.commit)")
      #expect(last?.done == last?.total && (last?.total ?? 0) > 200_000)
      let found = try FileManager.default.subpathsOfDirectory(atPath: folder).filter {
        $0.contains(".")
      }
      #expect(
        found.sorted() == [
          "model_index.json", "tokenizer/merges.txt", "tokenizer/vocab.json", "unet/config.json",
          weights,
        ])
      for path in found { #expect(try contents(folder, path) == repository.files[path]) }
      let link = try FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\(weights)")
      #expect(link == "../../../blobs/\(sha256(repository.files[weights]!))")
      let reference = try contents("\(cache.path)/models--org--name", "refs/main")
      #expect(String(decoding: reference, as: UTF8.self) == Repository.commit)
      #expect(hub.cached(name) == folder)
      // Nothing is fetched twice.
      let before = server.requests.count
      #expect(try hub.pull(name) == folder)
      #expect(server.requests[before...].allSatisfy { $0.path.hasPrefix("/api/") })
      // Another variant takes only what is new.
      _ = try hub.pull(name, variant: "fp16")
      #expect(server.requests.last?.path.hasSuffix(".fp16.safetensors") == true)
    }
  }

  @Test("A cut connection is gone on from where it broke, as often as it brings something")
  func cut() throws {
    let repository = repository
    let tries = Mutex(0)
    try with({ request in
      var response = repository.answer(request)
      let number = tries.withLock { tries in
        tries += 1
        return tries
      }
      if request.path.hasSuffix("model.safetensors"), number < 11 { response.cut = 30_000 }
      return response
    }) { server in
      let folder = try Hub(settings(server)).pull(name)
      #expect(try contents(folder, weights) == repository.files[weights])
      let ranges = server.requests.compactMap { $0.headers["range"] }
      #expect(ranges.count >= 3 && ranges[0] == "bytes=30000-" && ranges[1] == "bytes=60000-")
    }
  }

  @Test("A server that does not know ranges, and one that sends nothing more")
  func stubborn() throws {
    let repository = repository
    let first = Mutex(true)
    try with({ request in
      var request = request
      let isRepeated = request.headers["range"] != nil
      request.headers["range"] = nil
      var response = repository.answer(request)
      let isFirst = first.withLock { first in
        defer { if request.path.hasSuffix("model.safetensors") { first = false } }
        return first
      }
      if request.path.hasSuffix("model.safetensors"), isFirst, !isRepeated { response.cut = 1000 }
      return response
    }) { server in
      let folder = try Hub(settings(server)).pull(name)
      #expect(try contents(folder, weights) == repository.files[weights])
    }
    try with({ request in
      var response = repository.answer(request)
      if request.path.hasSuffix("config.json") { response.cut = 0 }
      return response
    }) { server in
      let text = reason { () throws(HubError) in _ = try Hub(settings(server)).pull(name) }
      #expect(text.contains("the connection was cut") && text.contains("what has arrived is kept"))
    }
  }

  @Test("A wrong hash or length is an error, and nothing of the file is left")
  func damaged() throws {
    let repository = repository
    let weights = weights
    try with({ request in
      request.path.contains("/tree/")
        ? .json(repository.listing(wrongHashOf: weights)) : repository.answer(request)
    }) { server in
      let text = reason { () throws(HubError) in _ = try Hub(settings(server)).pull(name) }
      #expect(text.contains("'\(weights)' arrived damaged: its SHA-256 is"))
      let names = try FileManager.default.subpathsOfDirectory(atPath: cache.path)
      #expect(!names.contains { $0.hasSuffix(".incomplete") || $0.hasSuffix("model.safetensors") })
      #expect(!names.contains { $0.hasSuffix("refs/main") })
    }
    try with({ request in
      var response = repository.answer(request)
      if request.path.hasSuffix("model.safetensors") { response.body += [0] }
      return response
    }) { server in
      let text = reason { () throws(HubError) in _ = try Hub(settings(server)).pull(name) }
      #expect(text.contains("more than 200000 bytes came"))
    }
    let small = "tokenizer/merges.txt"
    try with({ request in
      request.path.contains("/tree/")
        ? .json(repository.listing(wrongHashOf: small)) : repository.answer(request)
    }) { server in
      let text = reason { () throws(HubError) in _ = try Hub(settings(server)).pull(name) }
      #expect(text.contains("'\(small)' arrived damaged: its git hash is"))
    }
  }
}
