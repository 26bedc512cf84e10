import Foundation
import Synchronization

/// A server on this machine that answers as it is told, one request a connection.
final class HubServer: Sendable {
  struct Request: Sendable {
    var path: String
    /// Names in lower case.
    var headers: [String: String]
  }

  struct Response: Sendable {
    var status = 200
    var headers: [String: String] = [:]
    var body: [UInt8] = []
    /// Bytes after which the connection is closed though more were announced.
    var cut: Int?

    static func json(_ text: String, headers: [String: String] = [:]) -> Response {
      Response(headers: headers, body: Array(text.utf8))
    }
  }

  let port: UInt16
  private let descriptor: Int32
  private let isStopped = Mutex(false)
  private let log = Mutex<[Request]>([])
  private let answer: @Sendable (Request) -> Response

  init(_ answer: @escaping @Sendable (Request) -> Response) throws {
    self.answer = answer
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let (socket, length) = (descriptor, size)
    let bound = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(socket, $0, length) == 0 && listen(socket, 16) == 0
          && getsockname(socket, $0, &size) == 0
      }
    }
    guard bound else { throw CocoaError(.fileNoSuchFile) }
    port = UInt16(bigEndian: address.sin_port)
    // A proxy must not be asked for this machine.
    setenv("no_proxy", "127.0.0.1", 1)
    Thread.detachNewThread { [self] in
      while true {
        let connection = accept(descriptor, nil, nil)
        if connection < 0 { break }
        serve(connection)
        close(connection)
      }
      // Here and not in `stop`: while this thread may still accept, the number must not become another
      // server's, whose requests it would answer.
      close(descriptor)
    }
  }

  /// Ends the server: no more connections; its thread goes.
  func stop() {
    // Once: the number may be another file's after.
    let isFirst = isStopped.withLock { stopped in
      defer { stopped = true }
      return !stopped
    }
    if isFirst { shutdown(descriptor, Int32(SHUT_RDWR)) }
  }

  var address: String { "http://127.0.0.1:\(port)" }

  /// What was asked so far.
  var requests: [Request] { log.withLock { $0 } }

  private func serve(_ connection: Int32) {
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while !bytes.suffix(4).elementsEqual([13, 10, 13, 10]) {
      let count = recv(connection, &buffer, buffer.count, 0)
      if count <= 0 { return }
      bytes += buffer[..<count]
    }
    let lines = String(decoding: bytes, as: UTF8.self).components(separatedBy: "\r\n")
    let first = lines[0].split(separator: " ")
    var headers: [String: String] = [:]
    for line in lines.dropFirst() {
      let parts = line.split(separator: ":", maxSplits: 1)
      if parts.count == 2 {
        headers[parts[0].lowercased()] = parts[1].trimmingCharacters(in: .whitespaces)
      }
    }
    let request = Request(path: first.count > 1 ? String(first[1]) : "", headers: headers)
    log.withLock { $0.append(request) }
    let response = answer(request)
    var text = "HTTP/1.1 \(response.status) X\r\nConnection: close\r\n"
    text += "Content-Length: \(response.body.count)\r\n"
    for (name, value) in response.headers { text += "\(name): \(value)\r\n" }
    send(Array((text + "\r\n").utf8), to: connection)
    send(Array(response.body.prefix(response.cut ?? response.body.count)), to: connection)
  }

  private func send(_ bytes: [UInt8], to connection: Int32) {
    var sent = 0
    while sent < bytes.count {
      let count = bytes.withUnsafeBytes {
        Foundation.send(
          connection, $0.baseAddress! + sent, bytes.count - sent, Int32(MSG_NOSIGNAL))
      }
      if count <= 0 { return }
      sent += count
    }
  }
}
