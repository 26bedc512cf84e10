import ItoCheckpoints
import ItoComponents
import ItoModules
import ItoTensors
import ItoTestSupport
import Testing

@testable import ItoModels

private let kl = #"""
  {"_class_name": "AutoencoderKL", "block_out_channels": [8, 12, 16], "norm_num_groups": 4,
   "down_block_types": ["DownEncoderBlock2D", "DownEncoderBlock2D", "DownEncoderBlock2D"],
   "up_block_types": ["UpDecoderBlock2D", "UpDecoderBlock2D", "UpDecoderBlock2D"],
   "latent_channels": 3, "scaling_factor": 0.5, "shift_factor": 0.25}
  """#

/// A network of which no layer starts as a no-op.
private func awake<M: Module>(_ network: M) -> M {
  var seed: UInt64 = 50
  return network.mappingParameters { _, tensor in
    seed += 1
    let isMatrix = tensor.shape.rank > 1
    let deviation = isMatrix ? 1 / Double(tensor.shape.count / tensor.shape[0]).squareRoot() : 0.1
    return randomTensor(tensor.shape, seed: seed, scale: deviation, offset: isMatrix ? 0 : 0.5)
  }
}

@Suite("Autoencoders")
struct AutoencoderTests {
  private func network(
    _ change: (inout JSONObject) -> Void = { _ in }
  ) throws -> AutoencoderKL {
    var json = try #require(try JSONValue.parse(kl).object)
    change(&json)
    var initial = ParameterInitializer(seed: 4)
    return awake(try AutoencoderKL(configuration: .object(json), &initial))
  }

  /// Bands of one row, of numbers that divide the heights and that do not, and one band of all.
  @Test("bands change nothing but rounding", arguments: [1, 3, 8, 100])
  func bands(_ rows: Int) throws {
    let vae = try network()
    let x = randomTensor([2, 20, 28, 3], seed: 1), z = randomTensor([2, 5, 7, 3], seed: 2)
    let whole = vae.encode(x), banded = vae.encode(x, bandRows: rows)
    #expect(relativeRMSError(banded.mean, whole.mean) < 2e-6)
    #expect(relativeRMSError(banded.logVariance, whole.logVariance) < 2e-6)
    #expect(relativeRMSError(vae.decode(z, bandRows: rows), vae.decode(z)) < 2e-6)
    guard rows == 8 else { return }
    let half = vae.converted(to: .bfloat16)
    let expected = vae.decode(z)
    #expect(relativeRMSError(half.decode(z, bandRows: rows).cast(to: .float32), expected) < 3e-2)
  }

  @Test("memory given back early changes no bit")
  func sparing() throws {
    let vae = try network()
    let x = randomTensor([1, 64, 64, 3], seed: 1), z = randomTensor([1, 300, 300, 3], seed: 2)
    #expect(vae.encode(x, savesMemory: true).mean.scalars == vae.encode(x).mean.scalars)
    let cropped = z.sliced(0..<40, axis: 2)
    #expect(vae.decode(cropped, savesMemory: true).scalars == vae.decode(cropped).scalars)
  }

  /// Where the largest map takes 1, the others of the last level have a half: its norm is written where it lies, beside the
  /// shortcut and the result of the first convolution. In bands it never exists, and of the others there are two.
  @Test("decoding holds two largest maps, or in bands little more than one")
  func memory() throws {
    let vae = try network {
      $0["block_out_channels"] = [32, 64, 64]
      $0["mid_block_add_attention"] = false
    }
    let z = randomTensor([1, 48, 48, 3], seed: 2)
    let largest = 192 * 192 * 64 * 4
    func peak(_ bandRows: Int?) -> Double {
      Runtime.resetPeak()
      let before = Runtime.memory.inUse
      _ = vae.decode(z, bandRows: bandRows)
      return Double(Runtime.memory.peak - before) / Double(largest)
    }
    _ = peak(nil)  // weights are packed
    #expect(peak(nil) < 3.2)  // with workspaces; each map apart it would be 4 without
    _ = peak(16)
    #expect(peak(16) < 2.2)
  }

  /// A pixel far away must be felt, by attention and norms: bands are no tiles.
  @Test func farPixelsAreFeltInBands() throws {
    let vae = try network()
    let z = randomTensor([1, 16, 2, 3], seed: 2)
    var other = z
    other.update { $0[0] += 3 }
    let a = vae.decode(z, bandRows: 4), b = vae.decode(other, bandRows: 4)
    let last = a.sliced(60..<64, axis: 1)
    #expect(relativeRMSError(b.sliced(60..<64, axis: 1), last) > 1e-4)
  }

  @Test func scalingIsUndone() throws {
    let vae = try network()
    let latent = randomTensor([1, 2, 2, 3], seed: 5)
    let x = vae.normalised(latent)
    #expect(relativeRMSError(x, (latent - 0.25) * 0.5) < 1e-6)
    #expect(relativeRMSError(vae.denormalised(x), latent) < 1e-6)
    let byChannel = try network {
      $0["latents_mean"] = [1, 2, 3]
      $0["latents_std"] = [0.5, 1, 2]
    }
    let y = byChannel.normalised(latent)
    let mean = Tensor([1, 2, 3], shape: [3]), deviation = Tensor([0.5, 1, 2], shape: [3])
    #expect(relativeRMSError(y, (latent - mean) / deviation * 0.5) < 1e-6)
    #expect(relativeRMSError(byChannel.denormalised(y), latent) < 1e-6)
  }

  @Test func aSampleIsTheMeanPlusTheDeviationTimesNoise() {
    let mean = Tensor([1, 2], shape: [1, 1, 1, 2]),
      logVariance = Tensor([0, 2], shape: [1, 1, 1, 2])
    let noise = Tensor([3, -1], shape: [1, 1, 1, 2])
    let drawn = AutoencoderKL.sample((mean, logVariance), noise: noise).scalars
    #expect(abs(drawn[0] - 4) < 1e-6 && abs(drawn[1] - (2 - 2.718_281_8)) < 1e-5)
  }

  @Test func namesOfOlderFilesAreFound() throws {
    let vae = try network()
    let paths = Set(vae.parameters.map(\.path.description))
    let old = paths.map {
      $0.replacing(".to_q.", with: ".query.").replacing(".to_k.", with: ".key.")
        .replacing(".to_v.", with: ".value.").replacing(".to_out.0.", with: ".proj_attn.")
    }
    #expect(Set(old) != paths)
    for keys in [paths, Set(old)] {
      let map = AutoencoderKL.keyMap(for: keys)
      #expect(Set(vae.parameters.map { map.source($0.path).key }) == keys)
    }
  }

  @Test func settingsThatAreNotImplementedAreRefusedByName() throws {
    func refused(_ key: String, _ value: JSONValue) throws -> Bool {
      do {
        _ = try network { $0[key] = value }
        return false
      } catch let error as ModelError {
        return error.description.contains(key)
      }
    }
    #expect(try refused("act_fn", "mish"))
    #expect(try refused("block_out_channels", [8, 12, 18]))
    #expect(try refused("latents_mean", [1, 2]))
    #expect(try refused("use_new_thing", true))
    #expect(try refused("layers_per_block", 1_048_576))
    #expect(try refused("latent_channels", 1_048_576))
  }
}
