import ItoComponents
import ItoModules
import ItoTensors
import ItoTestSupport
import Testing

@testable import ItoCheckpoints

#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

/// Layers of each kind that is packed: products, direct convolutions, minimal filtering in both tiles, of an enlarged map,
/// and two maps side by side.
private struct Network: Module {
  var linear: Linear, strided: Conv2D, convolution: Conv2D, wide: Conv2D, pointwise: Conv2D

  init(seed: UInt64) {
    var initial = ParameterInitializer(seed: seed)
    linear = Linear(24, 32, &initial)
    strided = Conv2D(32, 48, kernel: 3, stride: 2, padding: 1, &initial)
    convolution = Conv2D(48, 64, kernel: 3, &initial)
    wide = Conv2D(64, 64, kernel: 3, &initial)
    pointwise = Conv2D(128, 16, kernel: 1, &initial)
  }

  mutating func visit<V: ModuleVisitor>(_ v: inout V) throws(V.Failure) {
    try v.child("linear", &linear)
    try v.child("strided", &strided)
    try v.child("conv", &convolution)
    try v.child("wide", &wide)
    try v.child("pointwise", &pointwise)
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    let h = convolution(strided(linear(x)), doubled: true)
    return pointwise(joining: JoinedChannels([h, wide(h)])) ?? Tensor(zeros: [])
  }
}

@Suite("Packed weights on disk", .serialized)
struct PackedCacheTests {
  private let folder: TemporaryFolder
  private let input = randomTensor([1, 40, 40, 24], seed: 9)
  private var path: String { folder.file("model.safetensors") }
  private var cache: String { folder.file("cache/packed") }

  init() throws {
    folder = try TemporaryFolder()
    try save(.float32, seed: 1)
  }

  private func save(_ type: DType, seed: UInt64, damage: Bool = false) throws {
    var tensors = Network(seed: seed).converted(to: type).storedTensors
    if damage { tensors["wide.weight"]?.update { $0[5] = .infinity } }
    try SafeTensors.write(tensors, to: path)
  }

  private struct Run: Equatable {
    /// The bits, so that NaN equals itself.
    var result: [UInt32]
    var statistics: PackedForms.Statistics?
    var hasNonFinite = false
  }

  /// The network's result as a run of its own would have it, through `cache` when there is one.
  private func run(
    limit: Int? = 1 << 30, during body: () throws -> Void = {}
  ) throws -> Run {
    let file = try SafeTensors(path: path)
    if let limit {
      for mapped in file.mappedFiles { PackedCache(folder: cache, limit: limit).attach(to: mapped) }
    }
    var network = Network(seed: 2)
    try network.load(from: file, dtype: .computing(.float32))
    try body()
    func evaluate() -> [UInt32] { network(input).scalars.map(\.bitPattern) }
    let result = evaluate()
    let isRepeated = evaluate() == result
    #expect(isRepeated)
    let mapped = file.mappedFiles[0]
    mapped.finishPackedForms()
    return Run(
      result: result, statistics: mapped.packedForms?.statistics, hasNonFinite: mapped.hasNonFinite)
  }

  private func names(_ ending: String) -> [String] {
    guard let handle = opendir(cache) else { return [] }
    defer { closedir(handle) }
    var names: [String] = []
    while let entry = readdir(handle) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name.hasSuffix(ending) { names.append("\(cache)/\(name)") }
    }
    return names.sorted()
  }

  @Test(
    "on, off and from disk have the same bits",
    arguments: [DType.float32, .bfloat16, .float16])
  func sameBits(_ type: DType) throws {
    try save(type, seed: 1)
    let off = try run(limit: nil)
    let first = try run()
    let second = try run()
    #expect(off.statistics == nil)
    #expect(first.result == off.result)
    #expect(second.result == off.result)
    let made = try #require(first.statistics), found = try #require(second.statistics)
    // Few rows of half precision are multiplied as they are.
    #expect(
      made.added >= (type == .float32 ? 5 : 2) && made.found == 0 && made.error == 0
        && made.damaged == 0)
    #expect(found.found == made.added && found.added == 0)
    #expect(names(".pack").count == 1)
    #expect(names(".partial") == [])
  }

  @Test("another size adds a file, another checkpoint finds none of them")
  func grows() throws {
    _ = try run()
    let file = try SafeTensors(path: path)
    let mapped = file.mappedFiles[0]
    PackedCache(folder: cache).attach(to: mapped)
    var network = Network(seed: 2)
    try network.load(from: file, dtype: .computing(.float32))
    _ = network(randomTensor([1, 6, 4, 24], seed: 3))
    mapped.finishPackedForms()
    let some = try #require(mapped.packedForms?.statistics)
    #expect(names(".pack").count == (some.added > 0 ? 2 : 1))
    try save(.float32, seed: 7)
    let other = try run()
    #expect(other.statistics?.found == 0)
    #expect(try other.result == run(limit: nil).result)
  }

  /// Every kind of damage is found before a number of it is used, and repaired.
  @Test("damaged, short, foreign and hostile files cost time only", arguments: 0..<12)
  func damage(_ kind: Int) throws {
    let good = try run()
    let name = try #require(names(".pack").first)
    var bytes = try readFile(name, limit: 1 << 28)
    let count = bytes.count
    func put(_ value: UInt64, at place: Int) {
      for i in 0..<8 { bytes[place + i] = UInt8(truncatingIfNeeded: value >> UInt64(8 * i)) }
    }
    switch kind {
    case 0: bytes[4096] ^= 1
    case 1: bytes[4096 + 4 * 100 + 3] ^= 0x80
    case 2: bytes.removeLast()
    case 3: bytes.removeLast(count / 2)
    case 4: bytes = []
    case 5: bytes[count - 40] ^= 4
    case 6: put(UInt64.max, at: 16)
    case 7: put(1, at: 48)
    case 8: for i in 0..<bytes.count { bytes[i] = UInt8(truncatingIfNeeded: i &* 7919) }
    case 9: bytes.append(contentsOf: [1, 2, 3])
    case 10: for i in 4096..<8192 { bytes[i] = 0 }
    default: bytes[0] = 0
    }
    try AtomicFile.write(name, bytes: bytes)
    let run = try run()
    #expect(run.result == good.result)
    #expect(run.statistics?.damaged == 1)
    let repaired = try self.run()
    #expect(repaired.result == good.result)
    #expect(repaired.statistics?.added == 0 && repaired.statistics?.damaged == 0)
  }

  @Test("what is no file of ours is not read: links, folders, pipes")
  func strangers() throws {
    let good = try run()
    let name = try #require(names(".pack").first)
    let kept = folder.file("kept")
    for make in [{ symlink(kept, name) }, { mkdir(name, 0o700) }, { mkfifo(name, 0o600) }] {
      if rename(name, kept) != 0 { unlink(name) }
      #expect(make() == 0)
      #expect(try run().result == good.result)
      rmdir(name)
    }
  }

  @Test("without room, folder or rights weights are packed in memory")
  func refusals() throws {
    let off = try run(limit: nil)
    let none = try run(limit: 100)
    #expect(none.result == off.result)
    #expect(none.statistics?.isFull == true && none.statistics?.added == 0)
    #expect(names(".pack") == [])
    let gone = try run(during: {
      for name in names(".hash") { unlink(name) }
      #expect(rmdir(cache) == 0)
    })
    #expect(gone.result == off.result)
    #expect(gone.statistics?.error == ENOENT)
    #expect(rmdir(folder.file("cache")) == 0)
    try AtomicFile.write(folder.file("cache"), bytes: [1])
    #expect(try run() == off)
  }

  @Test("files used longest ago make room")
  func room() throws {
    let first = try run()
    let old = try #require(names(".pack").first)
    var long = [timespec(tv_sec: 1000, tv_nsec: 0), timespec(tv_sec: 1000, tv_nsec: 0)]
    #expect(utimensat(AT_FDCWD, old, &long, 0) == 0)
    try save(.float32, seed: 5)
    let size = try #require(first.statistics?.addedBytes)
    let second = try run(limit: size * 3 / 2)
    #expect(second.statistics?.added == first.statistics?.added)
    #expect(!names(".pack").contains(old))
    #expect(names(".pack").count == 1)
  }

  @Test("a file that changes while it is in use leaves nothing; nor do weights that are not finite")
  func changes() throws {
    _ = try run(during: {
      let descriptor = open(path, O_RDWR)
      var byte: UInt8 = 9
      #expect(pwrite(descriptor, &byte, 1, off_t(Network(seed: 1).parameterCount)) == 1)
      close(descriptor)
    })
    #expect(names(".pack") == [])
    try save(.float32, seed: 1, damage: true)
    for _ in 0..<2 { #expect(try run().hasNonFinite) }
    #expect(names(".pack") == [])
  }

  @Test("the user's place is XDG's")
  func places() {
    let home = ["HOME": "/h", "XDG_CACHE_HOME": "/x"]
    #expect(PackedCache.standardFolder { home[$0] } == "/x/ito/packed")
    #expect(PackedCache.standardFolder { ["HOME": "/h"][$0] } == "/h/.cache/ito/packed")
    #expect(
      PackedCache.standardFolder { ["HOME": "/h", "XDG_CACHE_HOME": "x"][$0] }
        == "/h/.cache/ito/packed")
    #expect(PackedCache.standardFolder { _ in nil } == nil)
  }
}
