import ItoCheckpoints
import ItoTensors
import ItoTestSupport
import Testing

@testable import ItoTraining

@Suite struct AverageSnapshotsTests {
  private func run(_ folder: String, profiles: [any AveragingProfile]) throws -> TinyRun {
    let pictures = try tinyPictures()
    var trainer = tinyTrainer(totalSteps: 60)
    trainer = Trainer(
      trainer.model, objective: trainer.objective, optimizer: trainer.optimizer,
      learningRate: trainer.learningRate, options: TrainerOptions(seed: 5, averages: profiles))
    return TrainingRun(
      trainer, data: try ImageBatches(pictures, seed: 11),
      options: TrainingRunOptions(
        folder: folder, totalSteps: 60, batchSize: 8, checkpointInterval: 30, snapshotInterval: 5))
  }

  @Test("Averages that a run did not keep are put together from those it saved")
  func reconstruction() throws {
    let folder = TemporaryFolder()
    // The third is kept to compare with; a fixed decay is not saved.
    let profiles: [any AveragingProfile] = [
      PowerProfile(length: 0.05), PowerProfile(length: 0.1), PowerProfile(length: 0.2),
      ExponentialProfile(decay: 0.9),
    ]
    var run = try run(folder.path + "/run", profiles: profiles)
    _ = try run.run()
    let snapshots = AverageSnapshots(folder.path + "/run/averages")
    func distance(_ a: [String: Tensor], _ b: [String: Tensor]) -> Double {
      a.filter { $0.value.dtype == .float32 }.reduce(0) { sum, item in
        guard let other = b[item.key] else { return .infinity }
        return sum + Double(((item.value - other) * (item.value - other)).sum().item)
      }.squareRoot()
    }
    let kept = run.trainer.averages.map { $0.model.storedTensors }
    let apart = distance(kept[1], kept[2])
    #expect(apart > 1e-3)
    for (index, length) in [(0, 0.05), (1, 0.1), (2, 0.2)] {
      #expect(distance(try snapshots.average(length: length), kept[index]) < 0.001 * apart)
    }
    // One in between, which nobody kept, is between its neighbours.
    let between = try snapshots.average(length: 0.14)
    #expect(distance(between, kept[1]) < apart && distance(between, kept[2]) < apart)
    #expect(Set(between.keys) == Set(kept[0].keys))
    // Earlier in the run.
    let early = try snapshots.average(length: 0.1, updates: 30)
    #expect(distance(early, kept[1]) > 1e-3)
  }

  @Test("No snapshots, none early enough, damaged ones: each is an error")
  func refused() throws {
    let folder = TemporaryFolder()
    #expect(throws: TrainingError.self) {
      try AverageSnapshots(folder.path).average(length: 0.1)
    }
    var run = try run(folder.path + "/run", profiles: [PowerProfile(length: 0.1)])
    _ = try run.run()
    let snapshots = AverageSnapshots(folder.path + "/run/averages")
    #expect(throws: TrainingError.self) { try snapshots.average(length: 0.1, updates: 2) }
    try SafeTensors.write(
      ["a": Tensor([1], shape: [1])],
      to: folder.path + "/run/averages/average-9-0.safetensors")
    #expect(throws: TrainingError.self) { try snapshots.average(length: 0.1) }
  }
}
