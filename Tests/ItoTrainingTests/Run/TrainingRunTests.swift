import ItoCheckpoints
import ItoComponents
import ItoDiffusion
import ItoTensors
import Testing

@testable import ItoTraining

typealias TinyRun = TrainingRun<DenoisingObjective<TinyBackbone>, ImageBatches>

/// A run of `steps` steps with a checkpoint after every third.
func tinyRun(
  _ folder: String, steps: Int = 20, seed: UInt64 = 5, count: Int = 50, weightType: DType = .float32
) throws -> TinyRun {
  let pictures = try tinyPictures(count: count)
  return TrainingRun(
    tinyTrainer(weightType: weightType, seed: seed, totalSteps: steps),
    data: try ImageBatches(
      pictures, seed: 11, augmentation: Augmentation(horizontalFlip: true, maximumShift: 1)),
    validation: try ImageBatches(pictures, seed: 0, isShuffled: false),
    options: TrainingRunOptions(
      folder: folder, totalSteps: steps, batchSize: 4, microBatches: 2, checkpointInterval: 3,
      logInterval: 2, validationInterval: 5, validationCount: 10, sampleInterval: 10,
      configuration: ["recipe": "tiny"]))
}

/// The log without the speeds, which depend on the machine.
func steadyLog(_ folder: String) throws -> [JSONValue] {
  let text = String(decoding: try readFile(folder + "/log.jsonl"), as: UTF8.self)
  return try text.split(separator: "\n").map { line in
    var object = try JSONValue.parse(String(line)).object!
    object["samples_per_second"] = nil
    return .object(object)
  }
}

@Suite struct TrainingRunTests {
  let folder = TemporaryFolder()

  @Test("A run tells what it does and leaves checkpoints and a log")
  func whole() throws {
    var run = try tinyRun(folder("run"))
    var steps: [Int] = []
    var told: [String] = []
    let outcome = try run.run { event in
      switch event {
      case .step(let step, _, _): steps.append(step.index)
      case .skipped: told.append("skipped")
      case .validation(let step, let measures):
        told.append("validation \(step) \(measures.map(\.name))")
      case .checkpoint(let step, _): told.append("checkpoint \(step)")
      case .sample(let step, _): told.append("sample \(step)")
      }
    }
    #expect(outcome == .finished)
    #expect(steps == Array(0..<20))
    #expect(
      told
        == [
          "checkpoint 3", "validation 5 [\"loss\", \"clean_error\"]", "checkpoint 6",
          "checkpoint 9",
          "validation 10 [\"loss\", \"clean_error\"]", "sample 10", "checkpoint 12",
          "checkpoint 15",
          "validation 15 [\"loss\", \"clean_error\"]", "checkpoint 18",
          "validation 20 [\"loss\", \"clean_error\"]", "sample 20",
          "checkpoint 20",
        ].sorted { order($0) < order($1) })
    #expect(run.checkpoints.steps == [18, 20])
    let log = try steadyLog(folder("run"))
    #expect(
      log.compactMap { $0["loss"] == nil ? nil : $0["step"]?.int }
        == Array(stride(from: 1, to: 20, by: 2)))
    #expect(
      log.compactMap { $0["validation_loss"] == nil ? nil : $0["step"]?.int } == [4, 9, 14, 19])
    #expect(run.position == 160)
  }

  /// Events of a step: measures, then the checkpoint, then pictures.
  private func order(_ event: String) -> Int {
    let parts = event.split(separator: " ")
    let kind = ["validation": 0, "checkpoint": 1, "sample": 2][String(parts[0])]!
    // The last checkpoint is written when the loop is over.
    return 10 * Int(parts[1])! + (event == "checkpoint 20" ? 9 : kind)
  }

  @Test(
    "Stopped anywhere and resumed, a run ends as one that was not",
    arguments: [DType.float32, .bfloat16])
  func stopped(type: DType) throws {
    var whole = try tinyRun(folder("whole"), weightType: type)
    _ = try whole.run()
    for stop in [1, 3, 4, 19] {
      let path = folder("stopped-\(stop)")
      let flag = StopFlag()
      var run = try tinyRun(path, weightType: type)
      let outcome = try run.run(stop: flag) { event in
        if case .step(let step, _, _) = event, step.index == stop - 1 { flag.request() }
      }
      #expect(outcome == .stopped(step: stop))
      var again = try tinyRun(path, weightType: type)
      #expect(try again.resume() == ["recipe": "tiny"])
      #expect(again.trainer.stepIndex == stop)
      #expect(try again.run() == .finished)
      #expect(bits(again.trainer) == bits(whole.trainer))
      #expect(again.trainer.state == whole.trainer.state)
      #expect(again.loss == whole.loss)
      #expect(try steadyLog(path) == steadyLog(folder("whole")))
      #expect(
        try readFile(again.checkpoints.tensorFile(20)) == readFile(whole.checkpoints.tensorFile(20))
      )
    }
  }

  @Test("A finished run that is resumed has nothing to do")
  func finished() throws {
    var run = try tinyRun(folder("run"))
    _ = try run.run()
    var again = try tinyRun(folder("run"))
    try again.resume()
    var events = 0
    #expect(try again.run { _ in events += 1 } == .finished)
    #expect(events == 0)
  }

  @Test("A folder in use, nothing to resume, another seed or data set: each is an error")
  func errors() throws {
    var run = try tinyRun(folder("run"), steps: 3)
    #expect(throws: TrainingError.nothingToResume(folder: folder("run"))) { try run.resume() }
    _ = try run.run()
    var second = try tinyRun(folder("run"), steps: 3)
    #expect(throws: TrainingError.folderInUse(folder: folder("run"), step: 3)) { try second.run() }
    var other = try tinyRun(folder("run"), steps: 3, seed: 6)
    #expect(throws: TrainingError.self) { try other.resume() }
    var fewer = try tinyRun(folder("run"), steps: 3, count: 49)
    #expect {
      try fewer.resume()
    } throws: {
      "\($0)".contains("50 samples, not 49")
    }
  }

  @Test("A run that diverges stops with the place, and its checkpoints are from before")
  func diverges() throws {
    var run = TrainingRun(
      tinyTrainer(totalSteps: 100, peak: 1e30), data: try ImageBatches(tinyPictures(), seed: 11),
      options: TrainingRunOptions(
        folder: folder("run"), totalSteps: 100, batchSize: 4, checkpointInterval: 1000))
    var skipped = 0
    #expect {
      try run.run { if case .skipped = $0 { skipped += 1 } }
    } throws: {
      "\($0)".contains("diverged")
    }
    #expect(skipped == 9)
    #expect(run.checkpoints.steps.isEmpty)
  }
}
