import Foundation
import Synchronization
import Testing

@testable import ItoHub

/// Servers that refuse, lead elsewhere, or are not there.
extension HubTests {
  @Test(
    "Refusals are explained",
    arguments: [
      (401, "", nil, "or it is private"), (404, "RepoNotFound", nil, "or it is private"),
      (404, "RevisionNotFound", "t0ken", "that your token may see"),
      (403, "GatedRepo", nil, "set HF_TOKEN"), (403, "GatedRepo", "t0ken", "your token belongs to"),
      (500, "", nil, "status 500"), (429, "", nil, "status 429"),
    ] as [(Int, String, String?, String)])
  func refusals(_ status: Int, _ code: String, _ token: String?, _ expected: String) throws {
    try with({ _ in
      HubServer.Response(status: status, headers: ["X-Error-Code": code, "Retry-After": "100000"])
    }) { server in
      let text = reason { () throws(HubError) in
        _ = try Hub(settings(server, token: token)).pull(name)
      }
      #expect(text.contains(expected), "\(text)")
      #expect(server.requests.first?.headers["authorization"] == token.map { "Bearer \($0)" })
    }
  }

  @Test("A server that asks to wait is waited for")
  func wait() throws {
    let repository = repository
    let refused = Mutex<Set<String>>([])
    try with({ request in
      let isNew = refused.withLock { $0.insert(request.path).inserted }
      return isNew
        ? HubServer.Response(status: 429, headers: ["Retry-After": "0"])
        : repository.answer(request)
    }) { server in
      let folder = try Hub(settings(server)).pull(name)
      #expect(try contents(folder, weights) == repository.files[weights])
    }
  }

  @Test("The token is sent to the endpoint and to no other host")
  func token() throws {
    let repository = repository
    let other = try HubServer { request in
      Repository.part(of: repository.files[String(request.path.dropFirst())] ?? [], request)
    }
    defer { other.stop() }
    let elsewhere = other.address
    try with({ request in
      guard request.path.contains("/resolve/") else { return repository.answer(request) }
      // First to another path of the same host, then away.
      if !request.path.hasPrefix("/moved") {
        return HubServer.Response(status: 307, headers: ["Location": "/moved\(request.path)"])
      }
      let path = request.path.components(separatedBy: "\(Repository.commit)/")[1]
      return HubServer.Response(status: 302, headers: ["Location": "\(elsewhere)/\(path)"])
    }) { server in
      let folder = try Hub(settings(server, token: "t0ken")).pull(name)
      #expect(try contents(folder, weights) == repository.files[weights])
      #expect(server.requests.allSatisfy { $0.headers["authorization"] == "Bearer t0ken" })
      #expect(other.requests.count == 5)
      #expect(other.requests.allSatisfy { $0.headers["authorization"] == nil })
    }
  }

  @Test("Redirections in circles, and addresses that only look like the endpoint's")
  func redirections() throws {
    try with({ _ in HubServer.Response(status: 302, headers: ["Location": "/again"]) }) { server in
      let text = reason { () throws(HubError) in _ = try Hub(settings(server)).pull(name) }
      #expect(text.contains("leads on to '/again'"))
    }
    try with({ _ in HubServer.Response(status: 302, headers: ["Location": "file:///etc/passwd"]) })
    { server in
      let text = reason { () throws(HubError) in _ = try Hub(settings(server)).pull(name) }
      #expect(text.contains("file:///etc/passwd"))
    }
    let home = try #require(URLParts("https://huggingface.co"))
    for text in [
      "http://huggingface.co/x", "https://huggingface.co.evil.org/", "https://huggingface.co:444/",
    ] {
      #expect(URLParts(text).map { home.isSameOrigin(as: $0) } == false)
    }
    #expect(URLParts("https://huggingface.co@evil.org/") == nil && URLParts("ftp://x/") == nil)
    #expect(home.isSameOrigin(as: try #require(URLParts("https://HuggingFace.co/a?b"))))
  }

  @Test("Offline, what is there is used and the network is not")
  func offline() throws {
    let repository = repository
    try with({ repository.answer($0) }) { server in
      let offline = settings(server, more: ["HF_HUB_OFFLINE": "1"])
      let text = reason { () throws(HubError) in _ = try Hub(offline).pull(name) }
      #expect(text.contains("HF_HUB_OFFLINE forbids"))
      #expect(server.requests.isEmpty)
      let folder = try Hub(settings(server)).pull(name)
      let before = server.requests.count
      #expect(try Hub(offline).pull(name) == folder)
      #expect(try Hub(offline).pull(RepositoryName("org/name@\(Repository.commit)")) == folder)
      #expect(server.requests.count == before)
      try FileManager.default.removeItem(atPath: "\(folder)/unet")
      let missing = reason { () throws(HubError) in _ = try Hub(offline).pull(name) }
      #expect(missing.contains("of its parts, unet are missing"))
    }
  }

  @Test("A server that cannot be reached: what is there is used")
  func unreachable() throws {
    let repository = repository
    try with({ repository.answer($0) }) { server in
      let folder = try Hub(settings(server)).pull(name)
      server.stop()
      var gone = settings(server)
      gone.endpoint = "http://127.0.0.1:9"
      #expect(try Hub(gone).pull(name) == folder)
      let text = reason { () throws(HubError) in
        _ = try Hub(gone).pull(RepositoryName("org/other"))
      }
      #expect(text.contains("could not be read") && text.contains("HF_ENDPOINT"))
    }
  }

  @Test("A list of several pages, and one that would lead out of its folder")
  func listing() throws {
    let repository = repository
    try with({ request in
      guard request.path.contains("/tree/") else { return repository.answer(request) }
      if request.path.contains("cursor=2") { return .json(repository.listing()) }
      return .json("[]", headers: ["Link": "<\(request.path)&cursor=2>; rel=\"next\""])
    }) { server in
      _ = try Hub(settings(server)).pull(name)
    }
    for path in ["../x.json", "a/../../x.json", "/etc/x.json", "a//b.json", ""] {
      try with({ request in
        guard request.path.contains("/tree/") else { return repository.answer(request) }
        return .json(#"[{"type":"file","path":"\#(path)","size":1,"oid":"0123456789"}]"#)
      }) { server in
        let text = reason { () throws(HubError) in _ = try Hub(settings(server)).pull(name) }
        #expect(text.contains("without a proper path"), "\(path)")
      }
    }
  }

  @Test("A pull that is stopped keeps what has arrived and goes on from there")
  func cancelled() throws {
    let repository = repository
    try with({ repository.answer($0) }) { server in
      let stop = Mutex(false)
      let hub = Hub(settings(server), isCancelled: { stop.withLock { $0 } })
      let text = reason { () throws(HubError) in
        _ = try hub.pull(name) { progress in
          if progress.file.hasSuffix("model.safetensors") { stop.withLock { $0 = true } }
        }
      }
      #expect(text.contains("Stopped."))
      #expect(hub.cached(name) == nil)
      stop.withLock { $0 = false }
      let folder = try hub.pull(name)
      #expect(try contents(folder, weights) == repository.files[weights])
    }
  }
}
