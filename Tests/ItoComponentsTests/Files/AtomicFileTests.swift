import Testing

@testable import ItoComponents

#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

/// A fresh folder for one test, removed with its (flat) contents.
private func withFolder(_ body: (String) throws -> Void) throws {
  var template = Array((P_tmpdir + "/ito-test-XXXXXX").utf8CString)
  let folder = try #require(mkdtemp(&template).map { String(cString: $0) })
  defer {
    for name in names(in: folder) { unlink(folder + "/" + name) }
    rmdir(folder)
  }
  try body(folder)
}

private func names(in folder: String) -> [String] {
  guard let stream = opendir(folder) else { return [] }
  defer { closedir(stream) }
  var found: [String] = []
  while let entry = readdir(stream) {
    let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
      pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
    }
    if name != "." && name != ".." { found.append(name) }
  }
  return found.sorted()
}

private struct Interrupted: Error {}

@Suite struct AtomicFileTests {
  @Test func theFileAppearsWholeAndAlone() throws {
    try withFolder { folder in
      let path = folder + "/out.bin"
      var file = try AtomicFile(path)
      try file.write([1, 2, 3])
      #expect(names(in: folder) == [".out.bin.partial"])
      try file.write("ab")
      #expect(file.byteCount == 5)
      try file.commit()
      #expect(names(in: folder) == ["out.bin"])
      #expect(try readFile(path) == [1, 2, 3, 97, 98])
    }
  }

  @Test func anErrorInTheMiddleLeavesTheOldFile() throws {
    try withFolder { folder in
      let path = folder + "/out.bin"
      try AtomicFile.write(path, bytes: [7])
      func fail() throws {
        var file = try AtomicFile(path)
        try file.write([1, 2, 3])
        throw Interrupted()
      }
      #expect(throws: Interrupted.self) { try fail() }
      #expect(names(in: folder) == ["out.bin"])
      #expect(try readFile(path) == [7])
    }
  }

  @Test func replacingKeepsPermissionsAndLinks() throws {
    try withFolder { folder in
      let path = folder + "/real"
      let link = folder + "/link"
      try AtomicFile.write(path, bytes: [1])
      chmod(path, 0o640)
      symlink("real", link)
      try AtomicFile.write(link, bytes: [2])
      var info = stat()
      lstat(link, &info)
      #expect(info.st_mode & S_IFMT == S_IFLNK)
      stat(path, &info)
      #expect(info.st_mode & 0o7777 == 0o640)
      #expect(try readFile(path) == [2])
    }
  }

  @Test func aNewFileFollowsTheUmask() throws {
    try withFolder { folder in
      let plain = open(folder + "/plain", O_CREAT | O_WRONLY, 0o666)
      var expected = stat()
      fstat(plain, &expected)
      close(plain)
      try AtomicFile.write(folder + "/atomic", bytes: [])
      var info = stat()
      stat(folder + "/atomic", &info)
      #expect(info.st_mode == expected.st_mode)
    }
  }

  @Test func twoWritersOfOneNameDoNotMix() throws {
    try withFolder { folder in
      let path = folder + "/out"
      var first = try AtomicFile(path)
      var second = try AtomicFile(path)
      try first.write("first")
      try second.write("second")
      #expect(names(in: folder).count == 2)
      try first.commit()
      #expect(try readFile(path) == Array("first".utf8))
      try second.commit()
      #expect(try readFile(path) == Array("second".utf8))
      #expect(names(in: folder) == ["out"])
    }
  }

  @Test func whatAKilledProcessLeftIsReused() throws {
    try withFolder { folder in
      let leftover = open(folder + "/.out.partial", O_CREAT | O_WRONLY, 0o666)
      write(leftover, "a longer half-written file", 26)
      close(leftover)
      try AtomicFile.write(folder + "/out", bytes: [1])
      #expect(names(in: folder) == ["out"])
      #expect(try readFile(folder + "/out") == [1])
    }
  }

  @Test func aLinkInPlaceOfTheTemporaryFileIsNotFollowed() throws {
    try withFolder { folder in
      try AtomicFile.write(folder + "/precious", bytes: [9])
      symlink("precious", folder + "/.out.partial")
      try AtomicFile.write(folder + "/out", bytes: [1])
      #expect(try readFile(folder + "/precious") == [9])
      #expect(try readFile(folder + "/out") == [1])
    }
  }

  @Test func devicesAreWrittenNotReplaced() throws {
    try AtomicFile.write("/dev/null", bytes: [1, 2])
    var info = stat()
    stat("/dev/null", &info)
    #expect(info.st_mode & S_IFMT == S_IFCHR)
  }

  @Test func aFullDiskIsAnErrorWithAdvice() throws {
    let error = try #require(throws: FileError.self) {
      try AtomicFile.write("/dev/full", bytes: [1])
    }
    #expect(error == FileError(.write, path: "/dev/full", code: ENOSPC))
    #expect(error.description.contains("'/dev/full': No space left on device. Free space"))
  }

  @Test func badPathsSayWhatToDo() throws {
    try withFolder { folder in
      let missing = folder + "/missing/out"
      let error = try #require(throws: FileError.self) {
        try AtomicFile.write(missing, bytes: [1])
      }
      #expect(error.code == ENOENT)
      #expect(
        error.description
          == "cannot write '\(missing)': No such file or directory. "
          + "Create the folder '\(folder)/missing', or check its spelling.")

      try AtomicFile.write(folder + "/file", bytes: [])
      #expect(throws: FileError(.create, path: folder + "/file/out", code: ENOTDIR)) {
        try AtomicFile.write(folder + "/file/out", bytes: [1])
      }
      #expect(throws: FileError(.create, path: folder, code: EISDIR)) {
        try AtomicFile.write(folder, bytes: [1])
      }
      #expect(throws: FileError(.create, path: "", code: EISDIR)) {
        try AtomicFile.write("", bytes: [1])
      }
      // 200 four-byte characters are longer than a name may be.
      let long = folder + "/" + String(repeating: "🙂", count: 200)
      #expect(throws: FileError(.replace, path: long, code: ENAMETOOLONG)) {
        try AtomicFile.write(long, bytes: [1])
      }
      #expect(names(in: folder) == ["file"])
    }
  }

  @Test(.enabled(if: geteuid() != 0, "root may write anywhere"))
  func aReadOnlyFolderIsAnError() throws {
    try withFolder { folder in
      chmod(folder, 0o555)
      defer { chmod(folder, 0o755) }
      #expect(throws: FileError(.create, path: folder + "/out", code: EACCES)) {
        try AtomicFile.write(folder + "/out", bytes: [1])
      }
    }
  }

  @Test func pathsSplit() {
    #expect(AtomicFile.split("a") == (".", "a"))
    #expect(AtomicFile.split("/a") == ("/", "a"))
    #expect(AtomicFile.split("x/y/a") == ("x/y", "a"))
    #expect(AtomicFile.split("x/") == ("x", ""))
  }
}
