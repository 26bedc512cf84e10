import ItoCHub

#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

/// Requests to the hub: redirections followed without giving the token to other hosts, waits when the
/// server asks for them, and cancellation.
struct HTTPClient: Sendable {
  /// An answer without its body.
  struct Answer: Sendable {
    var status: Int
    /// Names in lower case.
    var headers: [String: String] = [:]
    /// The address that answered in the end.
    var url: String
    /// What ended it: nil when the body came to its end.
    var interruption: HubError?
  }

  var settings: HubSettings
  /// Whether the person wants to stop.
  var isCancelled: @Sendable () -> Bool
  /// Longest wait that a server may ask for, in seconds.
  var longestWait = 300.0

  private static let redirections = [301, 302, 303, 307, 308]

  /// Asks for `url`; the body of an answer of status 200 or 206 goes to `receive` in pieces, whose
  /// result says whether to go on.
  ///
  /// - Parameters:
  ///   - start: the first byte wanted.
  ///   - begin: called once before the body, with the answer's status and headers.
  func get(
    _ url: String, from start: Int = 0, begin: (Answer) -> Bool = { _ in true },
    receive: (UnsafeRawBufferPointer) -> Bool
  ) throws(HubError) -> Answer {
    var url = url
    guard let home = URLParts(settings.endpoint), var here = URLParts(url) else {
      throw .connection(url: url, reason: "it is no http or https address")
    }
    var waits = 0
    var hops = 0
    while true {
      var headers = ["Accept-Encoding: identity"]
      if let token = settings.token, here.isSameOrigin(as: home) {
        headers.append("Authorization: Bearer \(token)")
      }
      if start > 0 { headers.append("Range: bytes=\(start)-") }
      let answer = try perform(url, headers, begin, receive)
      if Self.redirections.contains(answer.status), let location = answer.headers["location"] {
        hops += 1
        guard hops <= 10, let next = here.resolving(location), let there = URLParts(next) else {
          throw .answer(url: url, reason: "it leads on to '\(location)'")
        }
        guard here.scheme == "http" || there.scheme == "https" else {
          throw .answer(url: url, reason: "it leads from https to http")
        }
        (url, here) = (next, there)
        continue
      }
      guard answer.status == 429 || answer.status == 503, waits < 5 else { return answer }
      waits += 1
      let asked = answer.headers["retry-after"].flatMap { Double($0) } ?? Double(1 << waits)
      guard asked <= longestWait else { return answer }
      try wait(max(0, asked))
    }
  }

  /// Sleeps, unless the person stops it.
  func wait(_ seconds: Double) throws(HubError) {
    var rest = seconds
    while rest > 0 {
      if isCancelled() { throw .cancelled }
      usleep(UInt32(min(rest, 0.1) * 1e6))
      rest -= 0.1
    }
    if isCancelled() { throw .cancelled }
  }

  /// One request.
  private func perform(
    _ url: String, _ headers: [String], _ begin: (Answer) -> Bool,
    _ receive: (UnsafeRawBufferPointer) -> Bool
  ) throws(HubError) -> Answer {
    let (result, answer) = withoutActuallyEscaping(begin) { begin in
      withoutActuallyEscaping(receive) { receive in
        var exchange = Exchange(
          answer: Answer(status: 0, url: url), begin: begin, receive: receive,
          isCancelled: isCancelled)
        let result = exchange.run(url, headers, timeout: settings.timeout)
        exchange.begin = { _ in true }
        exchange.receive = { _ in true }
        return (result, exchange.answer)
      }
    }
    let message = withUnsafeBytes(of: result.message) {
      String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
    }
    var final = answer
    final.status = Int(result.status)
    switch Int(result.outcome) {
    case ITO_HTTP_OK: break
    case ITO_HTTP_STOPPED:
      if isCancelled() { throw .cancelled }
      final.interruption = .connection(url: url, reason: "it was stopped")
    case ITO_HTTP_CUT:
      final.interruption = .connection(url: url, reason: "the connection was cut (\(message))")
    case ITO_HTTP_MISSING:
      throw .connection(
        url: url,
        reason: "libcurl is not installed (on Debian and Ubuntu: apt-get install libcurl4)")
    default: throw .connection(url: url, reason: message)
    }
    return final
  }
}

/// What the callbacks of one request work on.
private struct Exchange {
  var answer: HTTPClient.Answer
  var begin: (HTTPClient.Answer) -> Bool
  var receive: (UnsafeRawBufferPointer) -> Bool
  let isCancelled: @Sendable () -> Bool
  private var hasBegun = false

  init(
    answer: HTTPClient.Answer, begin: @escaping (HTTPClient.Answer) -> Bool,
    receive: @escaping (UnsafeRawBufferPointer) -> Bool, isCancelled: @escaping @Sendable () -> Bool
  ) {
    self.answer = answer
    self.begin = begin
    self.receive = receive
    self.isCancelled = isCancelled
  }

  mutating func run(_ url: String, _ headers: [String], timeout: Int) -> ito_http_result {
    withUnsafeMutablePointer(to: &self) { exchange in
      var lines = headers.map { strdup($0) }
      lines.append(nil)
      defer { for line in lines { free(line) } }
      return url.withCString { url in
        lines.map { UnsafePointer<CChar>($0) }.withUnsafeBufferPointer { lines in
          var request = ito_http_request(
            url: url, headers: lines.baseAddress, is_head: 0, timeout: timeout,
            context: UnsafeMutableRawPointer(exchange),
            on_header: { context, line, count in
              guard let context, let line else { return 1 }
              let bytes = UnsafeRawBufferPointer(start: line, count: Int(count))
              context.assumingMemoryBound(to: Exchange.self).pointee.add(header: bytes)
              return 0
            },
            on_body: { context, bytes, count in
              guard let context, let bytes else { return 1 }
              let body = UnsafeRawBufferPointer(start: bytes, count: Int(count))
              return context.assumingMemoryBound(to: Exchange.self).pointee.add(body: body) ? 0 : 1
            },
            on_wait: { context in
              guard let context else { return 1 }
              return context.assumingMemoryBound(to: Exchange.self).pointee.isCancelled() ? 1 : 0
            })
          return ito_http_perform(&request)
        }
      }
    }
  }

  mutating func add(header bytes: UnsafeRawBufferPointer) {
    let line = String(decoding: bytes, as: UTF8.self)
    if line.hasPrefix("HTTP/") {
      // Also the answer of a proxy, or `100 Continue`, which another follows.
      answer.headers = [:]
      answer.status = line.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
      return
    }
    guard let colon = line.firstIndex(of: ":") else { return }
    var value = line[line.index(after: colon)...]
    while value.first == " " { value.removeFirst() }
    while value.last == " " { value.removeLast() }
    answer.headers[line[..<colon].lowercased()] = String(value)
  }

  mutating func add(body bytes: UnsafeRawBufferPointer) -> Bool {
    // What comes with errors and redirections is for people's browsers.
    guard answer.status == 200 || answer.status == 206 else { return !isCancelled() }
    if !hasBegun {
      hasBegun = true
      guard begin(answer) else { return false }
    }
    return !isCancelled() && receive(bytes)
  }
}
