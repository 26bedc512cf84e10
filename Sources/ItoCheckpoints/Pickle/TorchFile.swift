import ItoComponents

/// The two layouts in which `torch.save` has kept a pickle and the data it refers to.
struct TorchFile {
  /// A run of elements and where it lies.
  struct Run {
    var type: SafeTensorsType
    var start: Int
  }

  var contents: PickleContents
  /// By the numbers that tensors give.
  var storages: [Run] = []

  init(_ bytes: UnsafeRawBufferPointer, file: String) throws(CheckpointError) {
    do {
      if bytes.starts(with: [0x50, 0x4B, 3, 4]) {
        self = try TorchFile(zip: try ZipArchive(bytes, file: file), bytes)
      } else if bytes.starts(with: Self.magic) {
        self = try TorchFile(plain: bytes)
      } else {
        self = try TorchFile(bare: bytes)
      }
    } catch let error as PickleFault {
      throw error.error(file)
    } catch let error as CheckpointError {
      throw error
    } catch {
      throw .corrupt(file: file, reason: "\(error)")
    }
  }

  /// A zip archive with the pickle in `…/data.pkl` and each run of elements in `…/data/KEY`.
  private init(zip: ZipArchive, _ bytes: UnsafeRawBufferPointer) throws {
    let programs = zip.entries.keys.filter { $0.hasSuffix("/data.pkl") || $0 == "data.pkl" }
    guard let program = programs.first, programs.count == 1, let range = zip.entries[program] else {
      throw PickleFault.broken("it is a zip archive without the one data.pkl of a checkpoint")
    }
    let folder = program.dropLast("data.pkl".count)
    if zip.entries.keys.contains(where: { $0.hasPrefix("\(folder)code/") }) {
      throw PickleFault.refused("the program it carries (it is a TorchScript archive)")
    }
    if let order = zip.entries["\(folder)byteorder"], !bytes[order].elementsEqual("little".utf8) {
      throw PickleFault.broken("its numbers are not little-endian")
    }
    var machine = PickleMachine(
      UnsafeRawBufferPointer(rebasing: bytes[range]),
      budget: PickleBudget(fileSize: bytes.count, held: zip.size))
    let root = try machine.run()
    contents = try PickleContents(root, &machine)
    storages.reserveCapacity(machine.storages.count)
    for storage in machine.storages {
      guard let place = zip.entries["\(folder)data/\(storage.key)"] else {
        throw PickleFault.broken(
          "it lacks the data \(quoted(storage.key)) that its pickle refers to")
      }
      guard place.count / (storage.type.bitWidth / 8) >= storage.count else {
        throw PickleFault.broken(
          "its data \(quoted(storage.key)) has \(place.count) bytes, too few for \(storage.count) "
            + "\(storage.type.rawValue) elements")
      }
      storages.append(Run(type: storage.type, start: place.lowerBound))
    }
  }

  /// The number 0x1950a86a20f9469cfc6c as a pickle of protocol 2.
  private static let magic: [UInt8] = [
    0x80, 0x02, 0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, 0x2E,
  ]

  /// Four pickles (a number to know the file by, a version, facts of the machine, the object), one
  /// with the keys of the runs of elements, and then the runs, each after its length.
  private init(plain bytes: UnsafeRawBufferPointer) throws {
    var machine = PickleMachine(
      bytes, at: Self.magic.count, budget: PickleBudget(fileSize: bytes.count))
    guard case .int(1001) = try machine.run() else {
      throw PickleFault.broken("it is of an unknown version of PyTorch's old layout")
    }
    let system = try machine.run()
    if case .dictionary(let place) = system {
      let facts = machine.arena[place]
      for i in stride(from: 0, to: facts.count - 1, by: 2) {
        if case .text("little_endian") = facts[i], case .bool(false) = facts[i + 1] {
          throw PickleFault.broken("its numbers are not little-endian")
        }
      }
    }
    let root = try machine.run()
    contents = try PickleContents(root, &machine)
    guard case .list(let place) = try machine.run() else {
      throw PickleFault.broken("it lacks the list of its data")
    }
    var starts = [Int?](repeating: nil, count: machine.storages.count)
    var position = machine.position
    for case .text(let key) in machine.arena[place] {
      guard let number = machine.storageNumbers[key], starts[number] == nil else {
        throw PickleFault.broken(
          "it has the data \(quoted(key)) that its pickle does not refer to")
      }
      let storage = machine.storages[number]
      guard let count = bytes.integer(Int64.self, at: position), count == storage.count,
        storage.count <= (bytes.count - position - 8) / (storage.type.bitWidth / 8)
      else {
        throw PickleFault.broken("its data \(quoted(key)) does not lie within the file")
      }
      starts[number] = position + 8
      position += 8 + storage.count * storage.type.bitWidth / 8
    }
    storages.reserveCapacity(starts.count)
    for (storage, start) in zip(machine.storages, starts) {
      guard let start else {
        throw PickleFault.broken(
          "it lacks the data \(quoted(storage.key)) that its pickle refers to")
      }
      storages.append(Run(type: storage.type, start: start))
    }
  }

  /// A pickle without any data: nothing to load, but read so that what it wants can be named.
  private init(bare bytes: UnsafeRawBufferPointer) throws {
    var machine = PickleMachine(bytes, budget: PickleBudget(fileSize: bytes.count))
    let root = try machine.run()
    contents = try PickleContents(root, &machine)
    guard machine.storages.isEmpty, contents.tensors.isEmpty else {
      throw PickleFault.broken("its tensors have no data")
    }
    throw PickleFault.broken("it is a pickle without tensors")
  }
}
