import Testing

@testable import ItoComponents

#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

@Suite struct FileReadingTests {
  @Test("a file of every awkward size reads back", arguments: [0, 1, 4095, 4096, 4097, 100_000])
  func sizes(count: Int) throws {
    let path = "\(P_tmpdir)/ito-read-\(getpid())-\(count)"
    defer { unlink(path) }
    let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 * 7) }
    try AtomicFile.write(path, bytes: bytes)
    #expect(try readFile(path) == bytes)
    #expect(try readFile(path, limit: count) == bytes)
    if count > 0 {
      #expect(throws: FileError(.read, path: path, code: EFBIG)) {
        try readFile(path, limit: count - 1)
      }
    }
  }

  @Test func sourcesWithoutASizeReadToTheEnd() throws {
    #expect(try readFile("/dev/null") == [])
    #expect(try readFile("/proc/self/stat").count > 10)
  }

  @Test func anEndlessSourceStopsAtTheLimit() {
    #expect(throws: FileError(.read, path: "/dev/zero", code: EFBIG)) {
      try readFile("/dev/zero", limit: 10_000)
    }
  }

  @Test func errorsNameTheFile() throws {
    let error = try #require(throws: FileError.self) { try readFile("ito-no-such-file") }
    #expect(
      error.description
        == "cannot open 'ito-no-such-file': No such file or directory. Check the path.")
    #expect(throws: FileError(.read, path: "/tmp", code: EISDIR)) { try readFile("/tmp") }
  }
}
